//! Where the web platform of a guest once deviated from its standards, or could: small cases that conformance tests found.

use crate::house::shared;
use serde_json::{Value, json};

/// What `body`, the body of an async function, returns; `thrown(f)` in it is the name and class of what `f` throws or rejects with.
fn result(body: &str) -> Value {
    let code = format!(
        "const thrown = async (f) => {{ try {{ await f(); return 'nothing'; }} catch (e) {{ return `${{e.name}} ${{e.constructor.name}}`; }} }};
        export default async () => {{ {body} }}"
    );
    let report = shared().code(&code);
    assert_eq!(report["outcome"], "ok", "{report}");
    report["result"].clone()
}

#[test]
fn errors_of_the_platform_have_the_class_that_the_standard_names() {
    let found = result(
        "const detached = new ArrayBuffer(1); structuredClone(detached, { transfer: [detached] });
        return [await thrown(() => atob('a')), await thrown(() => btoa('\\u20ac')), atob(' AP8= ').length,
            await thrown(() => structuredClone(new Response())), await thrown(() => structuredClone({ f() {} })),
            await thrown(() => structuredClone(1, { transfer: [detached] })), await thrown(() => new Headers([['a b', 'c']])),
            await thrown(() => performance.measure('a', 'no such mark')), await thrown(() => queueMicrotask())];",
    );
    let dom = |name: &str| json!(format!("{name} DOMException"));
    let wanted = json!([
        dom("InvalidCharacterError"),
        dom("InvalidCharacterError"),
        2,
        dom("DataCloneError"),
        dom("DataCloneError"),
        dom("DataCloneError"),
        "TypeError TypeError",
        dom("SyntaxError"),
        "TypeError TypeError"
    ]);
    assert_eq!(found, wanted);
}

#[test]
fn what_is_transferred_twice_is_refused_and_stays_where_it_was() {
    let found = result(
        "const once = new ArrayBuffer(3), twice = new ArrayBuffer(5);
        const moved = structuredClone({ once }, { transfer: [once] }).once.byteLength;
        const refused = await thrown(() => structuredClone(twice, { transfer: [twice, twice] }));
        const never = await thrown(() => structuredClone(1, { transfer: [twice, new Blob()] }));
        const channel = new MessageChannel(); const port = structuredClone(channel.port1, { transfer: [channel.port1] });
        return [moved, once.byteLength, refused, never, twice.byteLength, port instanceof MessagePort];",
    );
    assert_eq!(found, json!([3, 0, "DataCloneError DOMException", "DataCloneError DOMException", 5, true]));
}

#[test]
fn a_blob_url_leads_to_its_blob_until_it_is_revoked_and_is_no_request_that_is_denied() {
    let code = "export default async () => {
        const url = URL.createObjectURL(new Blob(['kept'])); const kept = await (await fetch(url)).text();
        URL.revokeObjectURL(url);
        return [kept, await fetch(url).catch((e) => e.constructor === TypeError), await fetch('blob:https://a.example/x').catch((e) => e.constructor === TypeError)];
    }";
    let report = shared().code(code);
    assert_eq!((&report["result"], &report["denials"]), (&json!(["kept", true, true]), &json!([])), "{report}");
}

#[test]
fn a_fetch_that_needs_nobody_else_can_be_aborted_before_it_is_answered() {
    let found = result(
        "const control = new AbortController(), asked = fetch('data:,x', { signal: control.signal });
        control.abort(new RangeError('mine'));
        const late = new AbortController(), answer = await fetch('data:,x', { signal: late.signal }); late.abort();
        return [await thrown(() => asked), answer.status];",
    );
    assert_eq!(found, json!(["RangeError RangeError", 200]));
}

#[test]
fn a_timer_without_anything_to_call_is_a_mistake_and_one_of_text_is_denied() {
    let mistake = shared().code("export default () => { try { setTimeout(); } catch (e) { return e.constructor === TypeError; } }");
    assert_eq!((&mistake["result"], &mistake["denials"]), (&json!(true), &json!([])), "{mistake}");
    for text in ["'1'", "null", "undefined", "{ toString() { return '1'; } }"] {
        let denied = shared().code(&format!("export default () => {{ try {{ setInterval({text}); }} catch (e) {{ return e.name; }} }}"));
        assert_eq!((&denied["result"], &denied["denials"][0]["capability"]), (&json!("EvalError"), &json!("codegen")), "{text}: {denied}");
    }
}

#[test]
fn a_request_has_all_attributes_of_the_standard_and_only_a_request_has() {
    let found = result(
        "const { get } = Object.getOwnPropertyDescriptor(Request.prototype, 'duplex');
        const r = new Request('https://a.example/', { method: 'POST', body: 'x' });
        return [r.destination, r.duplex, r.isReloadNavigation, r.isHistoryNavigation, get.name, await thrown(() => get.call({})),
            [Headers, Request, Response, FormData, URL, URLPattern].every((c) => c.prototype.constructor === c)];",
    );
    assert_eq!(found, json!(["", "half", false, false, "get duplex", "TypeError TypeError", true]));
}

#[test]
fn a_body_that_was_given_as_text_is_read_as_its_bytes_are() {
    let found = result(
        "const given = ['\\ufeffa', '\\ud800b', '\\ufeff[1]', '\\u00e9'];
        const texts = await Promise.all(given.map((text) => new Response(text).text()));
        const asked = await new Request('https://a.example/', { method: 'POST', body: given[0] }).text();
        return [texts, asked, await new Response(given[2]).json(), (await new Response(given[0]).bytes()).length, await (await new Response(given[1]).clone().blob()).text()];",
    );
    assert_eq!(found, json!([["a", "\u{fffd}b", "[1]", "\u{e9}"], "a", [1], 4, "\u{fffd}b"]));
}

#[test]
fn a_pattern_is_matched_against_nothing_unless_something_is_given() {
    let found = result(
        "const any = new URLPattern(), some = new URLPattern({ pathname: '/a' });
        return [any.test(), some.test(), some.exec(), any.exec().inputs.length, some.test('/a', 'https://b.example'), await thrown(() => URLPattern.prototype.test.call({}))];",
    );
    assert_eq!(found, json!([true, false, null, 1, true, "TypeError TypeError"]));
}

#[test]
fn what_a_guest_patches_does_not_change_what_the_platform_does() {
    let found = result(
        "const genuine = Promise.prototype.then; let called = 0;
        const work = [];
        try {
            Promise.prototype.then = function (...given) { called++; return genuine.apply(this, given); };
            Object.defineProperty(Object.prototype, 'transfer', { get() { called++; }, configurable: true });
            work.push(new Response('body').text(), new Blob(['blob']).text(), fetch('data:,x'), fetch('https://a.example/'));
            structuredClone({ a: 1 });
        } finally { Promise.prototype.then = genuine; delete Object.prototype.transfer; }
        const settled = await Promise.allSettled(work);
        return [called, settled.map((s) => s.status), settled[0].value, settled[1].value];",
    );
    assert_eq!(found, json!([0, ["fulfilled", "fulfilled", "fulfilled", "rejected"], "body", "blob"]));
}
