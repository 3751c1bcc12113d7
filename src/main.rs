//! The program. Everything is in the library; see `app`.

fn main() -> std::process::ExitCode {
    cordon::app::main()
}
