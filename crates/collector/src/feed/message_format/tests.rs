use serde_json::json;

use super::*;
use crate::feed::rule::RuleOptions;
use crate::order::Order;

fn codec(format: MessageFormat, types: &str, rules: &str) -> Result<MessageCodec, String> {
    #[derive(Deserialize)]
    struct Rules {
        #[serde(default)]
        rounds: Vec<RuleOptions>,
    }
    let Rules { rounds } = toml::from_str(rules).unwrap();
    let rules: Vec<Rule> = rounds
        .into_iter()
        .enumerate()
        .map(|(index, rule)| rule.check(index, Order::NewestFirst).unwrap())
        .collect();
    let types: FieldTypes = toml::from_str(types).unwrap();
    MessageCodec::new(format, &types, &rules).map_err(|error| error.to_string())
}

#[track_caller]
fn decodes(format: MessageFormat, hex: &str, expected: &[Value]) {
    let bytes = HEXLOWER.decode(hex.as_bytes()).unwrap();
    assert_eq!(codec(format, "", "").unwrap().decode(&bytes).unwrap(), expected, "{hex}");
}

#[test]
fn message_pack_is_read_with_all_its_types() {
    let decodes = |hex, expected: Value| decodes(MessageFormat::MsgPack, hex, &[expected]);
    decodes("82a26964cd1e61a178ca4013d70a", json!({"id": 7777, "x": 2.31}));
    decodes("93c0c3cb40027ae147ae147b", json!([null, true, 2.31]));
    decodes("8201a16105d0ff", json!({"1": "a", "5": -1}));
    decodes("c403616263", json!("abc"));
    decodes("c40300ff01", json!("00ff01"));
    decodes("d6ff65e5f6e8", json!("2024-03-04T16:29:28.000Z"));
    decodes("d7ff3b9aca0065e5f6e8", json!("2024-03-04T16:29:28.250Z"));
    decodes("c70cff0ee6b2800000000065e5f6e8", json!("2024-03-04T16:29:28.250Z"));
    decodes("d40501", json!("01"));
    decodes("cfffffffffffffffff", json!(u64::MAX));
}

#[test]
fn cbor_is_read_with_all_its_types() {
    let decodes = |hex, expected: Value| decodes(MessageFormat::Cbor, hex, &[expected]);
    decodes("a26269641a00001e616178fa4013d70a", json!({"id": 7777, "x": 2.31}));
    decodes("83f6f5fb40027ae147ae147b", json!([null, true, 2.31]));
    decodes("a20161610520", json!({"1": "a", "5": -1}));
    decodes("43616263", json!("abc"));
    decodes("c074323031332d30332d32315432303a30343a30305a", json!("2013-03-21T20:04:00Z"));
}

#[test]
fn documents_that_follow_one_another_are_all_read() {
    decodes(MessageFormat::MsgPack, "9101920203", &[json!([1]), json!([2, 3])]);
    decodes(MessageFormat::Cbor, "8101820203", &[json!([1]), json!([2, 3])]);
}

#[test]
fn what_is_sent_is_read_back() {
    let message = r#"{"a":[1,-2,2.5,null,true],"b":{"c":"text"}}"#;
    for format in [MessageFormat::Json, MessageFormat::MsgPack, MessageFormat::Cbor] {
        let codec = codec(format, "", "").unwrap();
        let bytes = codec.encode(message).unwrap();
        let document: Value = serde_json::from_str(message).unwrap();
        assert_eq!(codec.decode(&bytes).unwrap(), [document], "{format:?}");
    }
    let protobuf = codec(MessageFormat::Protobuf, "", "").unwrap();
    assert_eq!(protobuf.encode("0A03\n").unwrap(), [10, 3]);
    assert!(protobuf.encode("{}").unwrap_err().contains("hexadecimal"));
    assert!(codec(MessageFormat::Cbor, "", "").unwrap().encode("x").unwrap_err().contains("JSON"));
}

/// `{2: [{1: 7, 3: 2.31 (double)}, {1: 6, 3: 1.5}], 4: "next"}`.
const ROUNDS: &str = "120b08071 97b14ae47e17a02 40120b080619000000000000f83f22046e657874";

#[track_caller]
fn protobuf(types: &str, rules: &str, hex: &str, expected: &Value) {
    let bytes = HEXLOWER.decode(hex.replace(' ', "").as_bytes()).unwrap();
    let codec = codec(MessageFormat::Protobuf, types, rules).unwrap();
    assert_eq!(codec.decode(&bytes).unwrap(), std::slice::from_ref(expected), "{hex}");
}

#[test]
fn fields_of_protocol_buffers_are_read_by_number() {
    let rounds = json!({"2": [{"1": 7, "3": 2.31}, {"1": 6, "3": 1.5}], "4": "next"});
    protobuf("", "", ROUNDS, &rounds);
}

/// Nothing in the wire format tells a list of one element from a value.
#[test]
fn a_list_of_one_element_is_a_list_where_a_rule_names_it() {
    let one = "120b0807197b14ae47e17a0240";
    protobuf(
        "",
        "[[rounds]]\nlist = '/2'\nvalue = '/3'\nid = '/1'",
        one,
        &json!({"2": [{"1": 7, "3": 2.31}]}),
    );
    protobuf("", "[[rounds]]\nvalue = '/2/3'", one, &json!({"2": {"1": 7, "3": 2.31}}));
}

#[test]
fn of_a_field_on_a_pointer_the_last_value_counts() {
    let rule = "[[rounds]]\nvalue = '/2/3'\nfilters = [{ pointer = '/4', exists = true }]";
    protobuf("", rule, ROUNDS, &json!({"2": {"1": 6, "3": 1.5}, "4": "next"}));
}

/// The bytes of the message `{4: 50}` are the text " 2".
#[test]
fn a_pointer_into_a_field_makes_it_a_message() {
    protobuf("", "", "12022032", &json!({"2": " 2"}));
    protobuf("", "[[rounds]]\nvalue = '/2/4'", "12022032", &json!({"2": {"4": 50}}));
    protobuf("\"/2\" = 'message'", "", "12022032", &json!({"2": {"4": 50}}));
}

#[test]
fn types_that_the_wire_format_leaves_open_can_be_given() {
    protobuf("", "", "0803100d", &json!({"1": 3, "2": 13}));
    protobuf("\"/1\" = 'zigzag'", "", "0803", &json!({"1": -2}));
    protobuf("", "", "08ffffffffffffffffff01", &json!({"1": -1}));
    protobuf("\"/1\" = 'fixed'", "", "0de7000000", &json!({"1": 231}));
    protobuf("\"/1\" = 'fixed'", "", "09e700000000000000", &json!({"1": 231}));
    protobuf("", "", "0d0ad71340", &json!({"1": 2.31}));
    protobuf("\"/1\" = 'hex'", "", "0a026162", &json!({"1": "6162"}));
    protobuf("\"/1\" = 'text'", "", "0a020a61", &json!({"1": "\na"}));
    protobuf(
        "\"/1\" = 'packed-double'",
        "",
        "0a107b14ae47e17a0240000000000000f83f",
        &json!({"1": [2.31, 1.5]}),
    );
    protobuf("\"/1\" = 'packed-float'", "", "0a040ad713400a040000c03f", &json!({"1": [2.31, 1.5]}));
    protobuf("\"/1\" = 'packed-integer'", "", "0a03e70164", &json!({"1": [231, 100]}));
}

#[test]
fn types_need_protocol_buffers_and_a_path_of_field_numbers() {
    let wrong = |format, types: &str| codec(format, types, "").unwrap_err();
    assert_eq!(
        wrong(MessageFormat::Cbor, "\"/1\" = 'hex'"),
        "feed.protobuf: gives the types of fields: it needs feed.format = \"protobuf\""
    );
    for path in ["1", "/", "/0", "/a", "/1//2"] {
        assert_eq!(
            wrong(MessageFormat::Protobuf, &format!("\"{path}\" = 'hex'")),
            format!("feed.protobuf: {path:?} is not a path of field numbers such as \"/2/1\"")
        );
    }
}

#[test]
fn a_message_of_another_format_is_reported_by_its_length() {
    let wrong = |format, bytes: &[u8]| codec(format, "", "").unwrap().decode(bytes).unwrap_err();
    assert_eq!(
        wrong(MessageFormat::MsgPack, b"\x93\x01"),
        "2 bytes that are not MessagePack (it is cut short)"
    );
    assert_eq!(
        wrong(MessageFormat::Cbor, b"\x83\x01"),
        "2 bytes that are not CBOR (it is cut short)"
    );
    assert_eq!(wrong(MessageFormat::Cbor, b""), "0 bytes that are not CBOR (nothing)");
    assert_eq!(
        wrong(MessageFormat::Protobuf, b"{}"),
        "2 bytes that are not Protocol Buffers (a field has the wire type 3)"
    );
    assert_eq!(
        wrong(MessageFormat::MsgPack, &[0x91; 100]),
        "100 bytes that are not MessagePack (more than 32 levels)"
    );
    assert_eq!(
        wrong(MessageFormat::Cbor, &[0x81; 100]),
        "100 bytes that are not CBOR (more than 32 levels)"
    );
}

#[test]
fn a_binary_message_is_recognized_by_being_read_completely() {
    assert_eq!(recognized(&[0x81, 0xa1, b'x', 2]), Some(MessageFormat::MsgPack));
    assert_eq!(recognized(&[0xa1, 0x61, b'x', 2]), Some(MessageFormat::Cbor));
    assert_eq!(recognized(&[0xff, 1]), None);
    assert_eq!(recognized(b"hello"), None);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        for format in [MessageFormat::Json, MessageFormat::MsgPack, MessageFormat::Cbor, MessageFormat::Protobuf] {
            let codec = MessageCodec { format, ..MessageCodec::default() };
            drop(codec.decode(&bytes));
        }
        proptest::prop_assert_ne!(recognized(&bytes), Some(MessageFormat::Json));
    }
}
