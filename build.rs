//! How the programs are linked.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Each part of the program begins on the edge of a huge page, so that a zygote can put code and constants into whole ones (src/cell/os/huge.rs).
    // A linker that does not know one of these ignores it; then the rims stay in small pages, and forks cost a little more.
    for option in ["separate-loadable-segments", "max-page-size=2097152"] {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,{option}");
    }
}
