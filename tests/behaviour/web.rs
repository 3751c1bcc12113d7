//! The web platform of a guest: handlers, requests that are denied, events for what nobody caught, bodies and messages.

use crate::house::shared;
use serde_json::{Value, json};

/// The result of `code`, whose run must end well.
fn result(code: &str) -> Value {
    let report = shared().code(code);
    assert_eq!(report["outcome"], "ok", "{report}");
    report["result"].clone()
}

#[test]
fn a_handler_is_called_with_a_request_of_the_input_and_answers_as_json() {
    let code = "export default { async fetch(request, env, ctx) {
        const headers = new Headers({ 'content-type': 'application/json' });
        headers.append('set-cookie', 'a=1'); headers.append('set-cookie', 'b=2');
        return new Response(JSON.stringify([request.method, request.url, request.headers.get('x-a'), await request.text()]), { status: 201, headers });
    } }";
    let input = json!({"method": "POST", "url": "/p?q=1", "headers": {"x-a": "b"}, "body": "text"});
    let report = shared().run(&json!({"code": code, "input": input}));
    let body = "[\"POST\",\"http://localhost/p?q=1\",\"b\",\"text\"]";
    let headers = json!({"content-type": "application/json", "set-cookie": ["a=1", "b=2"]});
    assert_eq!(report["result"], json!({"status": 201, "headers": headers, "body": body}), "{report}");
}

#[test]
fn an_input_that_names_no_part_of_a_request_is_the_body_of_a_post() {
    let code = "export default { fetch: async (request) =>
        new Response([request.method, request.url, request.headers.get('content-type'), await request.text()].join(' ')) }";
    let body = |input: Value| shared().run(&json!({"code": code, "input": input}))["result"]["body"].clone();
    assert_eq!(body(json!({})), "POST http://localhost/ application/json {}");
    assert_eq!(body(json!({"n": [1]})), "POST http://localhost/ application/json {\"n\":[1]}");
    assert_eq!(body(json!({"url": "/a"})), "GET http://localhost/a  ");
    assert_eq!(body(Value::Null), "GET http://localhost/  ");
}

#[test]
fn a_body_that_is_no_text_is_base64_and_what_is_no_response_is_told() {
    let binary = "export default { fetch: () => new Response(new Uint8Array([255, 0])) }";
    assert_eq!(result(binary)["body"], json!({"base64": "/wA="}));
    let wrong = shared().code("export default { fetch: () => 'text' }");
    let message = wrong["error"]["message"].as_str().unwrap_or_default();
    assert!(wrong["outcome"] == "exception" && message.contains("returns a Response"), "{wrong}");
}

#[test]
fn scheduled_and_tail_are_entrypoints_of_a_handler() {
    let code = "export default { scheduled: (controller) => [controller.cron, controller.scheduledTime], tail: (events) => events.length }";
    let run =
        |entrypoint: &str, input: Value| shared().run(&json!({"code": code, "entrypoint": entrypoint, "input": input}))["result"].clone();
    assert_eq!(run("scheduled", json!({"cron": "* * * * *", "scheduledTime": 5})), json!(["* * * * *", 5]));
    assert_eq!(run("tail", json!([1, 2])), json!(2));
}

#[test]
fn a_request_is_denied_with_an_error_that_says_what_and_where_and_is_in_answer_and_ledger() {
    let code = "export default async () => {
        try { await fetch('https://good.example/a', { method: 'POST', body: 'x'.repeat(100000) }); } catch (error) {
            return [error.name, error instanceof TypeError, error.code, error.capability, error.rule, error.target, /main\\.ts:2/.test(error.stack.split('\\n')[1])];
        }
    }";
    let report = shared().code(code);
    let told = json!(["EgressDenied", true, "egressDenied", "egress", "egress.fixtures", "https://good.example/a", true]);
    assert_eq!(report["result"], told, "{report}");
    assert_eq!((&report["denials"][0]["capability"], &report["egress"][0]["error"]), (&json!("egress"), &json!("noFixture")), "{report}");
    let uncaught = shared().code("export default () => fetch('ftp://a/')");
    assert_eq!((&uncaught["outcome"], &uncaught["error"]["code"]), (&json!("exception"), &json!("policyDenied")), "{uncaught}");
}

#[test]
fn a_flood_of_requests_is_denied_and_counted() {
    let code = "export default async () => {
        const asked = []; for (let i = 0; i < 500; i++) asked.push(fetch('https://a.example/' + i).then(() => 'sent', (error) => error.name));
        return [...new Set(await Promise.all(asked))];
    }";
    let report = shared().code(code);
    assert_eq!(report["result"], json!(["EgressDenied"]), "{report}");
    let told = report["denials"].as_array().map(Vec::len).unwrap_or_default() as u64;
    assert_eq!((told, report["denialsTruncated"].as_u64()), (100, Some(400)), "{report}");
}

#[test]
fn a_timer_runs_while_a_request_is_awaited_and_an_abort_rejects_with_its_reason() {
    let code = "export default async () => {
        const seen = [];
        const ticks = new Promise((resolve) => setTimeout(() => { seen.push('tick'); resolve(); }, 2));
        try { await fetch('https://a.example/', { signal: AbortSignal.abort('reason') }); } catch (reason) { seen.push(reason); }
        await ticks; await fetch('https://a.example/').catch(() => seen.push('denied'));
        return seen;
    }";
    assert_eq!(result(code), json!(["reason", "tick", "denied"]));
}

#[test]
fn what_nobody_caught_is_an_event_first_and_ends_the_run_unless_somebody_takes_care_of_it() {
    let code = "export default async () => {
        const seen = [];
        addEventListener('unhandledrejection', (event) => { seen.push(event.reason.message); event.preventDefault(); });
        onerror = (message, file, line, column, error) => { seen.push(error.message); return true; };
        Promise.reject(new Error('rejected')); reportError(new Error('reported'));
        setTimeout(() => { throw new Error('thrown'); }, 1);
        await new Promise((resolve) => setTimeout(resolve, 10));
        return seen;
    }";
    assert_eq!(result(code), json!(["reported", "rejected", "thrown"]));
    let alone = shared().code("export default async () => { reportError(new Error('alone')); await new Promise(() => {}); }");
    assert_eq!((&alone["outcome"], &alone["error"]["message"]), (&json!("exception"), &json!("alone")), "{alone}");
}

#[test]
fn bodies_forms_blobs_compression_patterns_and_messages_work() {
    let code = "export default async () => {
        const form = new FormData(); form.append('a', 'b'); form.append('f', new File(['x'], 'n.txt'));
        const read = [...await new Response(form).formData()].map(([name, value]) => [name, typeof value === 'string' ? value : value.name]);
        const packed = new Blob(['hello '.repeat(100)]).stream().pipeThrough(new CompressionStream('gzip'));
        const unpacked = await new Response(packed.pipeThrough(new DecompressionStream('gzip'))).text();
        const channel = new MessageChannel();
        const message = new Promise((resolve) => { channel.port2.onmessage = (event) => resolve(event.data); });
        channel.port1.postMessage({ a: [1] });
        const local = [await (await fetch('data:text/plain;base64,aGk=')).text(), await (await fetch(URL.createObjectURL(new Blob(['blob'])))).text()];
        const groups = new URLPattern({ pathname: '/a/:b' }).exec('http://x/a/c').pathname.groups;
        return [read, unpacked.length, await message, local, groups.b, navigator.userAgent];
    }";
    assert_eq!(result(code), json!([[["a", "b"], ["f", "n.txt"]], 600, {"a": [1]}, ["hi", "blob"], "c", "Cordon"]));
}

#[test]
fn a_stream_that_never_ends_and_one_that_yields_no_bytes_end_as_they_must() {
    let never = json!({"code": "export default { fetch: () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) })) }", "limits": {"wallMs": 300}});
    assert_eq!(shared().run(&never)["outcome"], "exceededWallTime");
    let bomb = "export default { fetch: () => new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1 << 20)) })) }";
    let ended = shared().code(bomb)["outcome"].clone();
    assert!(ended == "exceededMemory" || ended == "exceededCpu" || ended == "exception", "{ended}");
    assert_eq!(shared().code("export default () => 1")["result"], 1);
}
