//! Panics of redb on a damaged file, as errors.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Once,
};

use super::StoreError;

/// Makes an error of a panic: redb does not promise to read a damaged file without.
///
/// Nothing is printed, as a damaged file may be good for thousands of them.
pub(super) fn catching<T>(run: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    keep_quiet_when_caught();
    let was_caught = IS_CAUGHT.replace(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    IS_CAUGHT.set(was_caught);
    result.unwrap_or_else(|panic| {
        if IN_CALLER.replace(false) {
            resume_unwind(panic);
        }
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no reason given");
        Err(StoreError::damaged(message))
    })
}

/// Runs what the caller of a store gave, whose panics are its own.
pub(super) fn calling_back<T>(run: impl FnOnce() -> T) -> T {
    let was_caught = IS_CAUGHT.replace(false);
    IN_CALLER.set(true);
    let result = run();
    IN_CALLER.set(false);
    IS_CAUGHT.set(was_caught);
    result
}

fn keep_quiet_when_caught() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_CAUGHT.get() {
                hook(info);
            }
        }));
    });
}

thread_local! {
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
    static IN_CALLER: Cell<bool> = const { Cell::new(false) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreErrorKind;

    #[test]
    fn a_panic_is_damage_and_says_why() {
        let error = catching::<()>(|| panic!("page {}", 7)).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Damaged);
        assert!(error.to_string().ends_with("page 7"));
    }

    #[test]
    #[should_panic(expected = "the caller's own")]
    fn a_panic_of_the_caller_stays_one() {
        let _ = catching::<()>(|| calling_back(|| panic!("the caller's own")));
    }
}
