//! `/w/{artifact}/…`: Worker-style modules answer HTTP requests.

use crate::house::{Ask, House, Plan, Reply, eventually, shared};
use serde_json::{Value, json};
use std::io::Read;

/// Stores a module by running it once; where it is served.
fn stored(house: &House, code: &str) -> String {
    let report = house.run(&json!({"modules": {"main.ts": code}}));
    format!("/w/{}", report["artifact"].as_str().unwrap_or_else(|| panic!("{report}")))
}

/// The report of the run that `reply` names.
fn report(house: &House, reply: &Reply) -> Value {
    let run = reply.header("cordon-run").unwrap_or_else(|| panic!("{reply:?}")).to_owned();
    sealed(house, &run)
}

fn sealed(house: &House, run: &str) -> Value {
    eventually("the run is sealed", || {
        let reply = house.ask(&Ask::get(&format!("/v1/runs/{run}")));
        (reply.status == 200)
            .then(|| reply.json())
            .filter(|report| !report["provenance"]["seal"].is_null() || report["outcome"].is_string())
    })
}

const ECHO: &str = "export default {
  async fetch(request: Request, env, ctx) {
    const url = new URL(request.url);
    if (url.pathname === '/none') return new Response(null, { status: 204 });
    if (url.pathname === '/away') return Response.redirect('https://example.org/', 302);
    const told = { method: request.method, path: url.pathname + url.search, own: request.headers.get('x-own'), prefix: request.headers.get('cordon-prefix') };
    return new Response(JSON.stringify({ ...told, body: await request.text() }), { status: 201, headers: { 'x-by': 'guest', 'content-length': '3' } });
  },
};";

#[test]
fn a_request_reaches_the_handler_and_its_response_the_client() {
    let house = shared();
    let at = stored(&house, ECHO);
    let reply = house.ask(&Ask::post_text(&format!("{at}/a%20b?c=d"), "hello").by("PUT").with("x-own", "1"));
    assert_eq!((reply.status, reply.header("x-by")), (201, Some("guest")));
    assert_eq!(reply.json(), json!({"method": "PUT", "path": "/a%20b?c=d", "own": "1", "prefix": at, "body": "hello"}));
    let report = report(&house, &reply);
    assert_eq!((&report["outcome"], &report["result"]), (&json!("ok"), &json!({"status": 201, "bodyBytes": reply.body.len()})));
    assert!(reply.header("content-security-policy").is_some_and(|policy| policy.starts_with("sandbox ")));
    for (path, status) in [("/none", 204), ("/away", 302)] {
        let reply = house.ask(&Ask::get(&format!("{at}{path}")));
        assert_eq!((reply.status, reply.body.len()), (status, 0), "{path}");
    }
    let head = house.ask(&Ask::get(&format!("{at}/")).by("HEAD"));
    assert_eq!((head.status, head.body.len(), head.header("content-length")), (201, 0, None));
}

#[test]
fn a_function_serves_as_well_and_what_serves_nothing_says_so() {
    let house = shared();
    let at = stored(&house, "export default (request) => new Response(request.url ? 'function' : 'run')");
    assert_eq!(house.ask(&Ask::get(&at)).text(), "function");
    let at = stored(&house, "export default 42");
    let refused = house.ask(&Ask::get(&at)).json();
    assert_eq!((&refused["code"], &refused["status"]), (&json!("handlerFailed"), &json!(502)));
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("export default { fetch(request, env, ctx)")), "{refused}");
    let unknown = house.ask(&Ask::get(&format!("/w/sha256:{}/", "0".repeat(64))));
    assert_eq!((unknown.status, &unknown.json()["code"]), (404, &json!("notFound")));
}

#[test]
fn a_handler_that_fails_is_a_502_that_names_its_run() {
    let house = shared();
    let cases = [
        ("if (served) throw new RangeError('broken')", "exception"),
        ("if (served) for (;;);", "exceededCpu"),
        ("if (served) await new Promise(() => {})", "exceededWallTime"),
        ("if (served) return 42", "exception"),
        ("if (served) return new Response('x', { headers: { big: 'x'.repeat(70000) } })", "exception"),
    ];
    for (body, outcome) in cases {
        let code = format!(
            "export default {{ async fetch(request) {{ const served = request.headers.has('cordon-prefix'); {body}; return new Response() }} }}"
        );
        let reply = house.ask(&Ask::get(&stored(&house, &code)));
        let problem = reply.json();
        assert_eq!((reply.status, &problem["code"]), (502, &json!("handlerFailed")), "{body}: {problem}");
        let run = problem["run"].as_str().expect("a run").to_owned();
        assert_eq!(sealed(&house, &run)["outcome"], outcome, "{body}: {problem}");
    }
}

#[test]
fn bodies_pass_at_their_limits_and_not_one_byte_past_them() {
    let house = shared();
    let at = stored(&house, "export default { async fetch(request) {
      const size = request.headers.get('x-size');
      if (size !== null) return new Response('x'.repeat(Number(size)));
      try { return new Response(`${(await request.arrayBuffer()).byteLength}`); } catch (error) { return new Response(error.message, { status: 413 }); }
    } }");
    let profiles = house.get("/v1/capabilities")["profiles"].clone();
    let profile = profiles.as_array().and_then(|all| all.iter().find(|profile| profile["name"] == "untrusted"));
    let limits = &profile.expect("the profile of new code")["limits"];
    let (input, output) = (limits["inputBytes"].as_u64().expect("a limit"), limits["outputBytes"].as_u64().expect("a limit"));
    let sent = |bytes: u64| house.ask(&Ask::post_text(&at, vec![b'x'; bytes as usize]));
    assert_eq!((sent(input).status, sent(input).text()), (200, input.to_string()));
    let over = sent(input + 1);
    assert_eq!(over.status, 413);
    assert!(over.text().contains("inputBytes"), "{}", over.text());
    let asked = |bytes: u64| Ask::get(&at).with("x-size", &bytes.to_string());
    assert_eq!(house.ask(&asked(output)).body.len() as u64, output);
    // The head is gone by then, so the answer can only be cut off.
    let error = asked(output + 1).send(house.public()).expect_err("an answer that is cut off");
    assert!(error.to_string().contains("no whole answer"), "{}", error.to_string().chars().take(200).collect::<String>());
}

#[test]
fn an_answer_streams_and_what_it_leaves_to_be_done_is_done_after_it() {
    let house = shared();
    let at = stored(&house, "export default { fetch(request, env, ctx) {
      const { readable, writable } = new TransformStream();
      const tell = async () => {
        const writer = writable.getWriter();
        for (const word of ['a', 'b', 'c']) { await writer.write(new TextEncoder().encode(word)); await new Promise((done) => setTimeout(done, 5)); }
        await writer.close();
        await new Promise((done) => setTimeout(done, 20));
        console.log('afterwards');
      };
      ctx.waitUntil(tell());
      return new Response(readable, { headers: { 'content-type': 'text/event-stream' } });
    } }");
    let reply = house.ask(&Ask::get(&at));
    assert_eq!((reply.text().as_str(), reply.header("content-type")), ("abc", Some("text/event-stream")));
    let report = report(&house, &reply);
    assert_eq!((&report["outcome"], &report["logs"][0]["message"]), (&json!("ok"), &json!("afterwards")), "{report}");
}

#[test]
fn a_client_that_leaves_ends_the_run_that_answers_it() {
    let house = House::start(Plan::default());
    let at = stored(
        &house,
        "export default { fetch(request) {
      if (!request.headers.has('cordon-prefix')) return new Response();
      return new Response(new ReadableStream({ async pull(controller) {
        controller.enqueue(new TextEncoder().encode('tick'));
        await new Promise((done) => setTimeout(done, 10));
      } }));
    } }",
    );
    let mut stream = Ask::get(&at).begin(house.public()).expect("connected");
    let mut seen = Vec::new();
    while !seen.ends_with(b"tick\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("more to come");
        seen.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&seen).into_owned();
    let run = head.lines().find_map(|line| line.strip_prefix("cordon-run: ")).unwrap_or_else(|| panic!("{head}")).to_owned();
    drop(stream);
    assert_eq!(sealed(&house, &run)["outcome"], "canceled");
}

#[test]
fn a_page_that_a_guest_serves_cannot_speak_for_this_server() {
    let house = shared();
    let at = stored(
        &house,
        "export default () => new Response('<script>…</script>', { headers: { 'content-type': 'text/html', 'content-security-policy': \"default-src 'self'\" } })",
    );
    let raw = {
        let mut text = String::new();
        Ask::get(&at).begin(house.public()).expect("connected").read_to_string(&mut text).expect("text");
        text
    };
    // A browser enforces each of them: the guest's own cannot loosen ours.
    assert!(raw.contains("content-security-policy: sandbox ") && raw.contains("content-security-policy: default-src"), "{raw}");
    // Such a page has no origin, and one without is let in nowhere.
    let from_there = Ask::post("/v1/runs", &json!({"code": "1"})).with("origin", "null");
    assert_eq!(house.ask(&from_there).status, 403);
}
