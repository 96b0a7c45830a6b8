//! The pipeline on real sockets, judged from outside: what is sent how often, under which key, and what callers are told.

mod matrix;
mod support;
