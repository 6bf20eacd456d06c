use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, ZlibEncoder};

use super::*;

/// `{c:1,a:13,p:{c:"roundChartInfo",p:{roundId:8241979,maxMultiplier:1.88}}}`
const FINISHED: &[u8] = b"\x12\x00\x03\x00\x01c\x02\x01\x00\x01a\x03\x00\x0d\x00\x01p\x12\x00\x02\
    \x00\x01c\x08\x00\x0eroundChartInfo\x00\x01p\x12\x00\x02\
    \x00\x07roundId\x04\x00\x7d\xc3\x3b\x00\x0dmaxMultiplier\x07\x3f\xfe\x14\x7a\xe1\x47\xae\x14";

fn packet(flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut message = vec![flags];
    if flags & BIG == 0 {
        message.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
    } else {
        message.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
    }
    message.extend(payload);
    message
}

fn zlib(payload: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(payload).unwrap();
    encoder.finish().unwrap()
}

fn finished(id: &str, cents: u64) -> Message {
    Message::Finished {
        id: id.to_owned(),
        multiplier: rounds::Multiplier::from_cents(cents).unwrap(),
    }
}

/// Checks the result of each packet of the message, in order.
#[track_caller]
fn check(message: &[u8], expected: &[Result<Option<Message>, PacketError>]) {
    let found: Vec<_> =
        packets(message).map(|packet| packet.map(|value| Message::of(&value))).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_finished_round_is_decoded_with_its_id() {
    check(&packet(0x80, FINISHED), &[Ok(Some(finished("8241979", 188)))]);
}

#[test]
fn the_length_may_have_four_bytes() {
    check(&packet(0x88, FINISHED), &[Ok(Some(finished("8241979", 188)))]);
}

#[test]
fn a_compressed_packet_is_inflated_with_or_without_its_zlib_header() {
    check(&packet(0xa0, &zlib(FINISHED)), &[Ok(Some(finished("8241979", 188)))]);
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(FINISHED).unwrap();
    check(&packet(0xa0, &encoder.finish().unwrap()), &[Ok(Some(finished("8241979", 188)))]);
}

#[test]
fn two_packets_in_one_message_are_two_rounds() {
    let mut message = packet(0x80, FINISHED);
    message.extend(packet(0xa0, &zlib(FINISHED)));
    let round = finished("8241979", 188);
    check(&message, &[Ok(Some(round.clone())), Ok(Some(round))]);
}

#[test]
fn a_packet_that_cannot_be_decoded_does_not_hide_the_next() {
    for (flags, payload, error) in [
        (0xc0, &b"????"[..], PacketError::Encrypted),
        (0xa0, b"not deflated at all", PacketError::Inflate),
        (0x80, b"\x07\x3f\xfe\x14\x7a\xe1\x47\xae\x14", PacketError::Root(7)),
        (0x80, b"\x12\x00\x01\x00\x01x\x15", PacketError::Type(21)),
        (0x80, b"\x12\x00\x01\x00\x01x\x13", PacketError::Type(19)),
        (0x80, b"\x12\x00\x01\x00\x09x", PacketError::Length),
        (0x80, b"\x12\x00\x01\x00\x01x\x14\xff\xff\xff\xff", PacketError::Length),
        (0x80, b"\x12\x00\x01\x00\x01\xff\x00", PacketError::Text),
        (0x80, b"\x12\x00\x00\x00", PacketError::Leftover(1)),
        (0x80, b"", PacketError::Length),
    ] {
        let mut message = packet(flags, payload);
        message.extend(packet(0x80, FINISHED));
        check(&message, &[Err(error), Ok(Some(finished("8241979", 188)))]);
    }
}

#[test]
fn a_message_cut_anywhere_is_an_error_and_never_a_round() {
    let whole = packet(0x80, FINISHED);
    check(&[], &[]);
    for length in 1..whole.len() {
        check(&whole[..length], &[Err(PacketError::Truncated)]);
    }
}

#[test]
fn text_is_not_a_packet() {
    check(b"{\"multiplier\":2.31}", &[Err(PacketError::Flags(b'{'))]);
}

#[test]
fn a_payload_that_inflates_beyond_the_limit_is_skipped() {
    check(&packet(0xa8, &zlib(&vec![0x11; PAYLOAD_BYTES_MAX + 1])), &[Err(PacketError::Inflate)]);
}

#[test]
fn depth_is_limited() {
    let nested = |levels: usize| {
        let mut payload = b"\x11\x00\x01".repeat(levels - 1);
        payload.extend(b"\x11\x00\x00");
        packet(0x80, &payload)
    };
    check(&nested(DEPTH_MAX), &[Ok(None)]);
    check(&nested(DEPTH_MAX + 1), &[Err(PacketError::TooMuch)]);
}

#[test]
fn the_number_of_values_is_limited() {
    let mut row = b"\x09\xff\xff".to_vec();
    row.extend(vec![1; 0xffff]);
    let table = |rows: u16| {
        let mut payload = vec![0x11];
        payload.extend(rows.to_be_bytes());
        payload.extend(row.repeat(rows.into()));
        packet(0x88, &payload)
    };
    check(&table(3), &[Ok(None)]);
    check(&table(4), &[Err(PacketError::TooMuch)]);
}

#[test]
fn every_type_is_decoded() {
    let payload = b"\x12\x00\x0d\
        \x00\x01a\x00\
        \x00\x01b\x01\x01\
        \x00\x01c\x02\xff\
        \x00\x01d\x03\xff\xfe\
        \x00\x01e\x05\x00\x00\x00\x00\x00\x00\x00\x07\
        \x00\x01f\x06\x3f\xf0\xa3\xd7\
        \x00\x01g\x14\x00\x00\x00\x02hi\
        \x00\x01h\x0a\x00\x00\x00\x02\x00\x01\
        \x00\x01i\x0b\x00\x02\x00\x01\x00\x02\
        \x00\x01j\x10\x00\x01\x00\x01x\
        \x00\x01k\x11\x00\x01\x04\x00\x00\x00\x09\
        \x00\x01l\x0f\x00\x01\x3f\xf0\x00\x00\x00\x00\x00\x00\
        \x00\x01m\x09\x00\x01\x00";
    let value = packets(&packet(0x80, payload)).next().unwrap().unwrap();
    let field = |name: &str| value.get(name).unwrap().clone();
    assert_eq!(field("a"), Value::Null);
    assert_eq!(field("b"), Value::Bool(true));
    assert_eq!(field("c"), Value::Int(-1));
    assert_eq!(field("d"), Value::Int(-2));
    assert_eq!(field("e"), Value::Int(7));
    // 1.88 as a float must not become 1.8799999, whose hundredths are 187.
    assert_eq!(field("f"), Value::Double(1.88));
    assert_eq!(field("g"), Value::Text("hi".to_owned()));
    assert_eq!(field("h"), Value::Bytes(vec![0, 1]));
    assert_eq!(field("i"), Value::Array(vec![Value::Int(1), Value::Int(2)]));
    assert_eq!(field("j"), Value::Array(vec![Value::Text("x".to_owned())]));
    assert_eq!(field("k"), Value::Array(vec![Value::Int(9)]));
    assert_eq!(field("l"), Value::Array(vec![Value::Double(1.0)]));
    assert_eq!(field("m"), Value::Array(vec![Value::Bool(false)]));
}

/// An extension message with the given command and parameters.
fn call(command: &str, parameters: &[u8]) -> Vec<u8> {
    let mut payload =
        b"\x12\x00\x03\x00\x01c\x02\x01\x00\x01a\x03\x00\x0d\x00\x01p\x12\x00\x02\x00\x01c\x08"
            .to_vec();
    payload.extend(u16::try_from(command.len()).unwrap().to_be_bytes());
    payload.extend(command.as_bytes());
    payload.extend(b"\x00\x01p");
    payload.extend(parameters);
    packet(0x80, &payload)
}

/// The bytes 00 19 12 00 02 after the name are from a real capture: an array of 25 objects with two fields each.
#[test]
fn the_history_after_a_login_is_decoded_newest_first() {
    let mut parameters = b"\x12\x00\x01\x00\x0aroundsInfo\x11\x00\x19".to_vec();
    for round in 0..25_u32 {
        parameters.extend(b"\x12\x00\x02\x00\x0dmaxMultiplier\x07");
        parameters.extend((f64::from(188 + round) / 100.0).to_be_bytes());
        parameters.extend(b"\x00\x07roundId\x04");
        parameters.extend((8_241_979 - 3 * round).to_be_bytes());
    }
    let message = call("init", &parameters);
    let value = packets(&message).next().unwrap().unwrap();
    let Some(Message::History(history)) = Message::of(&value) else { panic!("{value:?}") };
    assert_eq!(history.len(), 25);
    assert_eq!(history[0].0, "8241979");
    assert_eq!(history[24].0, "8241907");
    let cents: Vec<u64> = history.iter().map(|(_, multiplier)| multiplier.cents()).collect();
    assert_eq!(cents, (188..213).collect::<Vec<u64>>());
}

#[test]
fn a_history_is_cut_where_an_entry_is_not_a_round() {
    let message = call(
        "init",
        b"\x12\x00\x01\x00\x0aroundsInfo\x11\x00\x03\
        \x12\x00\x02\x00\x07roundId\x04\x00\x00\x00\x09\x00\x0dmaxMultiplier\x04\x00\x00\x00\x02\
        \x12\x00\x01\x00\x07roundId\x04\x00\x00\x00\x08\
        \x12\x00\x02\x00\x07roundId\x04\x00\x00\x00\x07\x00\x0dmaxMultiplier\x04\x00\x00\x00\x03",
    );
    let history = vec![("9".to_owned(), rounds::Multiplier::from_cents(200).unwrap())];
    check(&message, &[Ok(Some(Message::History(history)))]);
}

#[test]
fn the_answer_to_the_login_names_the_instance() {
    let payload = b"\x12\x00\x03\x00\x01c\x02\x00\x00\x01a\x03\x00\x01\x00\x01p\x12\x00\x01\
        \x00\x02zn\x08\x00\x12aviator_core_inst4";
    check(&packet(0x80, payload), &[Ok(Some(Message::Instance("aviator_core_inst4".to_owned())))]);
}

/// Another recorder stored the same 1.22 a dozen times a second: it took players' cash-outs and ticks for rounds.
#[test]
fn cash_outs_ticks_and_states_are_never_rounds() {
    let cash_outs = b"\x12\x00\x02\x00\x07roundId\x04\x00\x7d\xc3\x3b\x00\x08cashouts\x11\x00\x01\
        \x12\x00\x02\x00\x0amultiplier\x07\x3f\xfe\x14\x7a\xe1\x47\xae\x14\
        \x00\x0dmaxMultiplier\x07\x3f\xfe\x14\x7a\xe1\x47\xae\x14";
    check(&call("updateCurrentCashOuts", cash_outs), &[Ok(None)]);
    check(&call("x", b"\x12\x00\x01\x00\x01x\x07\x3f\xfe\x14\x7a\xe1\x47\xae\x14"), &[Ok(None)]);
    check(
        &call("x", b"\x12\x00\x01\x00\x06crashX\x07\x3f\xfe\x14\x7a\xe1\x47\xae\x14"),
        &[Ok(None)],
    );
    let state =
        b"\x12\x00\x02\x00\x0anewStateId\x04\x00\x00\x00\x03\x00\x07roundId\x04\x00\x7d\xc3\x3b";
    check(&call("changeState", state), &[Ok(None)]);
}

#[test]
fn a_multiplier_that_is_not_a_number_of_at_least_one_is_not_a_round() {
    for multiplier in [f64::NAN, f64::INFINITY, 0.99, -2.0] {
        let mut parameters =
            b"\x12\x00\x02\x00\x07roundId\x04\x00\x00\x00\x09\x00\x0dmaxMultiplier\x07".to_vec();
        parameters.extend(multiplier.to_be_bytes());
        check(&call("roundChartInfo", &parameters), &[Ok(None)]);
    }
    check(&call("roundChartInfo", b"\x12\x00\x00"), &[Ok(None)]);
}
