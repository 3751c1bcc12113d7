//! Siblings of one zygote share its pages, and nothing else.

use crate::house::shared;
use serde_json::json;
use std::collections::BTreeSet;

#[test]
fn no_two_siblings_draw_the_same_randomness() {
    let house = shared();
    let code = "export default () => ({
        floats: [Math.random(), Math.random()],
        uuid: crypto.randomUUID(),
        bytes: [...crypto.getRandomValues(new Uint8Array(16))].join(),
    })";
    let mut seen = BTreeSet::new();
    for _ in 0..50 {
        let report = house.code(code);
        let drawn = &report["result"];
        for value in [&drawn["floats"][0], &drawn["floats"][1], &drawn["uuid"], &drawn["bytes"]] {
            assert!(seen.insert(value.to_string()), "{value} was drawn before");
        }
        let uuid = drawn["uuid"].as_str().expect("a uuid");
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"), "{uuid}");
    }
    assert_eq!(seen.len(), 200);
}

#[test]
fn nothing_that_a_run_leaves_behind_is_seen_by_the_next() {
    let house = shared();
    let pollute = "export default () => {
        globalThis.left = 1;
        Object.prototype.left = 1;
        Array.prototype.map = () => 'left';
        JSON.parse = () => 'left';
        Promise.prototype.then = () => {};
        setTimeout(() => { globalThis.left = 2; }, 60000);
        return true;
    }";
    let look = "export default () => [typeof left, 'left' in {}, [1].map((n) => n + 1)[0], JSON.parse('[2]')[0]]";
    // More runs than there are idle cells, so that every cell of the pool is followed by another.
    for _ in 0..12 {
        house.code(pollute);
        assert_eq!(house.code(look)["result"], json!(["undefined", false, 2, 2]));
    }
}

#[test]
fn two_runs_of_one_artifact_have_one_artifact_id_and_one_identity_but_each_its_own_record() {
    let house = shared();
    let (first, second) = (house.code("export default 'once'"), house.code("export default 'once'"));
    assert_eq!(first["artifact"], second["artifact"]);
    assert_eq!(first["identity"], second["identity"]);
    assert_ne!(first["run"], second["run"]);
    assert_ne!(first["provenance"], second["provenance"]);
    let tighter = house.run(&json!({"code": "export default 'once'", "limits": {"cpuMs": 100}}));
    assert_eq!(tighter["artifact"], first["artifact"]);
    assert_ne!(tighter["identity"], first["identity"], "another grant is another identity");
}
