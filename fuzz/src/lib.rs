//! What the fuzz targets share: the cuttings that must make no difference.
//!
//! `cargo +nightly fuzz run <target> -- -max_total_time=60`
#![forbid(unsafe_code)]

/// The body whole, byte by byte, and in pieces of lengths that `seed` makes up.
pub fn cuttings(body: &[u8], seed: u8) -> [Vec<&[u8]>; 3] {
    [vec![body], body.chunks(1).collect(), pieces(body, seed)]
}

/// Lengths from 0 to 31, so that prefixes, payloads and base64 quanta are cut, and empty chunks come too.
fn pieces(mut body: &[u8], seed: u8) -> Vec<&[u8]> {
    let mut state = u32::from(seed);
    let mut pieces = Vec::new();
    while !body.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (head, tail) = body.split_at(body.len().min((state >> 27) as usize));
        pieces.push(head);
        body = tail;
    }
    pieces
}
