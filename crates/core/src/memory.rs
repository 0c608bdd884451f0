//! The most memory that one thing may take.
//!
//! The client library for servers believes each length that a server names, such as 2^33 columns or an event of 4 GiB.
//! If that memory cannot be had, a Rust program ends by a signal. An agent reads that as status 0 without an answer,
//! and what the helper has begun stays half done. So a thread that asks for so much memory is stopped for ever, because an
//! allocation has no other way to fail. Another thread answers the call when its time is over, and what the stopped
//! thread has begun is undone ([`crate::unfinished`]).
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::thread;
use std::time::Duration;

/// More than anything that is needed: a server's packets have 1 GiB at most, and their buffers double.
const MOST: usize = 3 << 30;
/// A thread that asks for less is never stopped: on a machine without that much memory, no helper ends well.
const MUCH: usize = 64 << 20;

struct Bounded;

#[global_allocator]
static ALLOCATOR: Bounded = Bounded;

/// `granted` for what `size` bytes may be, else never.
fn or_stop(size: usize, granted: impl FnOnce() -> *mut u8) -> *mut u8 {
    if size <= MOST {
        let granted = granted();
        if !granted.is_null() || size < MUCH {
            return granted;
        }
    }
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

// SAFETY: all is the system's allocator's, which keeps the contract; what is not asked of it never returns.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is the system's.
        or_stop(layout.size(), || unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: likewise.
        or_stop(layout.size(), || unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: likewise.
        or_stop(size, || unsafe { System.realloc(old, layout, size) })
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: likewise.
        unsafe { System.dealloc(old, layout) }
    }
}

#[cfg(test)]
mod tests;
