//! Runs work on documents from outside where it can do no harm: with room for deep recursion, panics turned into errors.
//! The generator is another project's; what it cannot treat must become a message.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::thread;

/// Room for recursion over a document; the pages are only used when they are needed.
const STACK_BYTES: usize = 512 * 1024 * 1024;
/// Threads of this name panic without a word on the terminal: the caller gets the message.
const NAME: &str = "guarded";

/// Runs the work in a thread of its own; a panic is answered as its message.
pub(crate) fn run<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().name() != Some(NAME) {
                usual(info);
            }
        }));
    });
    thread::scope(|scope| {
        let builder = thread::Builder::new().name(NAME.to_owned()).stack_size(STACK_BYTES);
        let handle = builder
            .spawn_scoped(scope, || panic::catch_unwind(AssertUnwindSafe(work)))
            .map_err(|error| format!("cannot start a thread: {error}"))?;
        match handle.join() {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(payload)) | Err(payload) => Err(message(payload.as_ref())),
        }
    })
}

fn message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref::<&str>().copied());
    let text: String = text.unwrap_or("it gave no reason").split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = text.chars().take(200).collect();
    format!("the generator panicked: {short}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_panic_becomes_a_message_and_deep_recursion_has_room() {
        let error = super::run(|| -> u8 { panic!("no {}\n way", "such") }).unwrap_err();
        assert_eq!(error, "the generator panicked: no such way");
        fn depth(levels: usize) -> usize {
            let padding = std::hint::black_box([levels; 64]);
            if levels == 0 { 0 } else { 1 + depth(levels - 1) + padding[0] - levels }
        }
        assert_eq!(super::run(|| depth(100_000)), Ok(100_000));
    }
}
