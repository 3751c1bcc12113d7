//! The declarations that tell what a profile grants, read as this room reads every source.

use super::*;
use crate::policy::capabilities::declarations;
use crate::policy::capabilities::samples::{canned, hostile, orders, shipped};

#[test]
fn the_declarations_of_every_profile_are_typescript_and_nothing_but_types() {
    let shipped = shipped();
    let profiles = shipped.iter().map(|profile| (**profile).clone()).chain([orders(), canned(20), hostile()]);
    for profile in profiles {
        let text = declarations(&profile, OFFERED);
        assert_eq!(code(module("main.ts", &text)), "", "of {}", profile.name);
        let with_code = code(module("main.ts", &format!("{text}export default ((input, env, ctx) => 1) satisfies Handler")));
        assert_eq!(with_code, "export default ((input, env, ctx) => 1);\n", "of {}", profile.name);
    }
}
