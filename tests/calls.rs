//! One call against a scripted peer, in virtual time: what the caller is told, and what the transport is told to do.
//!
//! Each file of `calls/` is a theme, each test a conversation; `harness/` plays the transport and the peer, and checks
//! after every step the rules that hold for any call.

#[cfg(test)]
mod harness;

#[cfg(test)]
mod calls {
    mod any_order;
    mod bare;
    mod bidi;
    mod cancel;
    mod cardinality;
    mod deadline;
    mod early_end;
    mod faults;
    mod gzip;
    mod half_close;
    mod limits;
    mod metadata;
}
