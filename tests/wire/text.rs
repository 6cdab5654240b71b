//! `application/grpc-web-text`: what base64 adds.

use tidewire::codec::{envelope, text};

use super::replay::{Wire, answer};

const OK: &[u8] = b"grpc-status: 0\r\n";

fn base64(bytes: &[u8]) -> Vec<u8> {
    text::encode(bytes)
}

#[test]
fn row_24_padding_may_stand_wherever_the_server_flushed() {
    let plain =
        [envelope::encode(0, b"one"), envelope::encode(0, b"two!"), envelope::encode(0x80, OK)].concat();
    for piece in 1..=plain.len() {
        let body = plain.chunks(piece).map(base64).collect::<Vec<_>>().concat();
        let heard = answer().body(body).replay(Wire::Text);
        assert_eq!(heard.messages, [b"one".to_vec(), b"two!".to_vec()], "flushed every {piece} bytes");
        assert!(heard.status.is_ok());
    }
}

#[test]
fn row_24_blanks_and_line_ends_between_the_letters_do_not_count() {
    let plain = [envelope::encode(0, b"one"), envelope::encode(0x80, OK)].concat();
    let lines: Vec<u8> = base64(&plain).iter().flat_map(|letter| [*letter, b'\r', b'\n', b' ']).collect();
    let heard = answer().body(lines).replay(Wire::Text);
    assert_eq!(heard.messages, [b"one"]);
    assert!(heard.status.is_ok());
}

#[test]
fn row_24_a_byte_that_base64_does_not_have_ends_the_call_after_what_came_before() {
    for bad in [&b"AA!A"[..], b"=AAA", b"A===", b"AA=A", b"AA-_", b"\0\0\0\0"] {
        let body = [&base64(&envelope::encode(0, b"one")), bad].concat();
        let heard = answer().body(body).replay(Wire::Text);
        assert_eq!(heard.messages, [b"one"], "{bad:?}");
        heard.is_broken("no base64");
    }
}

#[test]
fn row_24_an_end_inside_a_quantum_is_a_cut_stream() {
    for open in ["A", "AA", "AAA"] {
        let body = [base64(&envelope::encode(0, b"one")), open.into()].concat();
        let heard = answer().body(body).replay(Wire::Text);
        assert_eq!(heard.messages, [b"one"]);
        heard.is_broken("inside a base64 quantum");
    }
}

#[test]
fn row_25_the_answers_own_content_type_says_whether_it_is_text() {
    let plain = [envelope::encode(0, b"one"), envelope::encode(0x80, OK)].concat();
    for suffix in ["", "+proto", "+proto; charset=utf-8"] {
        let asked_for_text = answer().header("content-type", ["application/grpc-web", suffix].concat());
        let asked_for_binary =
            answer().header("content-type", ["application/grpc-web-text", suffix].concat());
        for heard in [
            asked_for_text.body(&plain).replay(Wire::Text),
            asked_for_binary.body(base64(&plain)).replay(Wire::Binary),
        ] {
            assert_eq!(heard.messages, [b"one"], "{suffix}: {heard:?}");
            assert!(heard.status.is_ok());
        }
    }
}
