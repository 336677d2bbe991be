//! The page. Natively it only says how to see it.

#[cfg(target_arch = "wasm32")]
mod allocator {
    use rlsf::{GlobalTlsf, GlobalTlsfOptions};

    /// A fifth of the size of the standard library's.
    #[global_allocator]
    static ALLOCATOR: GlobalTlsf<Options> = GlobalTlsf::new();

    struct Options;

    impl GlobalTlsfOptions for Options {
        /// It would be twice as large, and copying is quick.
        const ENABLE_REALLOCATION: bool = false;
    }
}

#[cfg(target_arch = "wasm32")]
fn main() {
    // The browser adds from where that was.
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&panic.to_string().into());
    }));
    // The page stays for as long as its window does.
    std::mem::forget(dashboard::app::App::open());
}

#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::print_stdout, reason = "telling a person is all it does")]
fn main() {
    println!("The dashboard runs in a browser. `cargo xtask demo` builds it and opens it.");
}
