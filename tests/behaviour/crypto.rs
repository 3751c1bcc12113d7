//! WebCrypto: every algorithm does what its standard says, what is refused has the standard's name, and no key that may not leave leaves.

use crate::house::shared;
use serde_json::{Value, json};

/// The result of `code`, whose run must end well, in a profile with time for it.
#[track_caller]
fn result(code: &str) -> Value {
    let report = shared().run(&json!({"code": code, "profile": "production"}));
    assert_eq!(report["outcome"], "ok", "{report}");
    report["result"].clone()
}

#[test]
fn every_algorithm_does_with_an_imported_copy_what_the_key_did() {
    assert_eq!(result(include_str!("crypto/round.js")), json!([]));
}

#[test]
fn known_answers_are_given() {
    let answers = json!({
        "digest": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "pbkdf2": "4b007901b765489abead49d926f721d065a429c1",
        "hkdf": "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        "derived": "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
        "hmac": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        "kw": "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5",
        "cbc": "7649abac8119b246cee98e9b12e9197d",
        "ed25519": "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        "x25519": "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
    });
    assert_eq!(result(include_str!("crypto/known.js")), answers);
}

#[test]
fn what_is_refused_is_refused_by_the_standards_name() {
    assert_eq!(result(include_str!("crypto/refused.js")), json!([]));
}

#[test]
fn arguments_are_read_in_order_and_once_and_copied_before_they_can_change() {
    let expected = json!({
        "throws": "RangeError: boom",
        "later": ["RangeError: iv", false, true, true, true, true, false],
        "order": "name hash iterations salt hash.name",
        "copied": true,
        "vector": true,
        "detached": true,
        "view": true,
        "shown": [true, true, "{\"name\":\"AES-CBC\",\"length\":128}", "[object CryptoKey]"],
        "rsa": [512, 3, "SHA-1", ["wrapKey"], ["decrypt"], true],
        "clones": ["encrypt", "encrypt"],
        "forged": "RangeError",
    });
    assert_eq!(result(include_str!("crypto/arguments.js")), expected);
}

#[test]
fn no_byte_of_a_key_that_may_not_leave_passes_anything_that_a_guest_can_replace() {
    let report = result(include_str!("crypto/hostile.js"));
    let each = json!([true, true, "InvalidAccessError", "InvalidAccessError", "InvalidAccessError", "InvalidAccessError"]);
    let twice: Vec<_> = [&each, &each].into_iter().flat_map(|list| list.as_array().expect("a list").clone()).chain([json!(true)]).collect();
    assert_eq!(report, json!({"results": twice, "leaks": 0, "where": [], "looked": true}));
}

#[test]
fn work_without_end_is_ended_by_the_budget_of_the_run() {
    let house = shared();
    let stretch = "export default async () => {
        const key = await crypto.subtle.importKey('raw', new Uint8Array(1), 'PBKDF2', false, ['deriveBits']);
        return crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(1), iterations: 4294967295 }, key, 8);
    }";
    let modulus = "export default () => crypto.subtle.generateKey(
        { name: 'RSA-PSS', hash: 'SHA-1', modulusLength: 8192, publicExponent: new Uint8Array([1, 0, 1]) }, true, ['sign'])";
    for code in [stretch, modulus] {
        let report = house.run(&json!({"code": code, "limits": {"cpuMs": 60}}));
        assert_eq!(report["outcome"], "exceededCpu", "{report}");
    }
    house.assert_well("untrusted");
}

#[test]
fn work_on_much_data_is_counted_as_the_runs_own() {
    let house = shared();
    let digest = house.run(&json!({"code": "export default async () => {
        const buffer = await crypto.subtle.digest('SHA-256', new Uint8Array(8 << 20)); return buffer.byteLength; }", "profile": "validated"}));
    assert_eq!(digest["result"], 32, "{digest}");
    assert!(digest["usage"]["cpuMs"].as_f64().is_some_and(|cpu| cpu > 2.0), "{digest}");
    assert!(digest["usage"]["externalPeakBytes"].as_u64().is_some_and(|bytes| bytes >= 16 << 20), "{digest}");
    let keys = house.code("export default async () => {
        const kept = []; for (;;) kept.push(await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-1', length: 1 << 23 }, false, ['sign'])); }");
    assert_eq!(keys["outcome"], "exceededMemory", "{keys}");
    let long = house.code(
        "export default async () => {
        const key = await crypto.subtle.importKey('raw', new Uint8Array(1), 'PBKDF2', false, ['deriveBits']);
        return crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: new Uint8Array(1), iterations: 1 }, key, 4294967288); }",
    );
    assert!(long["outcome"] == "exceededMemory" || long["outcome"] == "exception", "{long}");
    house.assert_well("untrusted");
}
