//! The program; what it does is in the library of this package, so that tests can call its parts.

fn main() -> std::process::ExitCode {
    engine::main()
}
