use serde_json::json;

use super::*;

#[track_caller]
fn decodes(framing: Framing, messages: &[&str], expected: &[Arrival]) {
    let mut decoder = Decoder::new(framing, "/", 1000);
    let arrivals: Vec<Arrival> =
        messages.iter().flat_map(|message| decoder.decode(message)).collect();
    assert_eq!(arrivals, expected, "{messages:?}");
}

fn doc(value: Value) -> Arrival {
    Arrival::Document(value)
}

#[test]
fn without_framing_a_message_is_a_document() {
    decodes(Framing::None, &[r#"{"a":1}"#, "[1]"], &[doc(json!({"a": 1})), doc(json!([1]))]);
    let mut decoder = Decoder::new(Framing::None, "/", 1000);
    let arrivals = decoder.decode("my secret");
    assert_eq!(
        arrivals,
        [Arrival::Undecodable("9 bytes that are not JSON (Syntax at character 1)".to_owned())]
    );
}

#[test]
fn documents_that_end_with_nul_or_a_line_feed_are_split() {
    decodes(
        Framing::Nul,
        &["{\"a\":1}\0{\"a\":2}\0"],
        &[doc(json!({"a": 1})), doc(json!({"a": 2}))],
    );
    decodes(
        Framing::Ndjson,
        &["{\"a\":1}\r\n\n{\"a\":2}\n"],
        &[doc(json!({"a": 1})), doc(json!({"a": 2}))],
    );
}

#[test]
fn a_document_in_two_messages_is_joined() {
    let whole = "{\"a\":[1,2],\"b\":\"x\"}\n";
    for cut in 1..whole.len() {
        let (head, tail) = whole.split_at(cut);
        decodes(Framing::Ndjson, &[head, tail], &[doc(json!({"a": [1, 2], "b": "x"}))]);
    }
}

#[test]
fn a_last_document_without_its_terminator_is_returned_at_once() {
    decodes(
        Framing::Ndjson,
        &["{\"a\":1}", "{\"a\":2}"],
        &[doc(json!({"a": 1})), doc(json!({"a": 2}))],
    );
}

#[test]
fn an_endless_document_is_discarded() {
    let mut decoder = Decoder::new(Framing::Nul, "/", 1000);
    let mut arrivals = Vec::new();
    for _ in 0..300 {
        arrivals.extend(decoder.decode("{\"a\":"));
        assert!(decoder.begun.len() <= 1000);
    }
    assert_eq!(arrivals, [Arrival::Undecodable("1005 bytes without a terminator".to_owned())]);
}

#[test]
fn socket_io_packets_are_read() {
    let handshake = Handshake { ping_interval: 25_000, ping_timeout: 5000 };
    let open = "0{\"sid\":\"x\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":5000}";
    decodes(
        Framing::SocketIo4,
        &[open, "40{\"sid\":\"y\"}", "42[\"crash\",{\"x\":1}]", "4213[\"crash\",2]", "2", "6", "3"],
        &[
            Arrival::Open(handshake),
            Arrival::Joined,
            doc(json!(["crash", {"x": 1}])),
            doc(json!(["crash", 2])),
            Arrival::Answer("3".to_owned()),
            Arrival::Heartbeat,
            Arrival::Heartbeat,
        ],
    );
    decodes(
        Framing::SocketIo3,
        &[
            "430[null,{\"table_history\":[]}]",
            "41",
            "1",
            "44\"not allowed\"",
            "44{\"message\":\"who are you\"}",
            "451-[\"b\",{}]",
        ],
        &[
            doc(json!([null, {"table_history": []}])),
            Arrival::Ended,
            Arrival::Ended,
            Arrival::Refused("not allowed".to_owned()),
            Arrival::Refused("who are you".to_owned()),
            Arrival::Heartbeat,
        ],
    );
    decodes(
        Framing::SocketIo3,
        &["", "hello", "0nonsense", "×", "4", "49"],
        &[
            Arrival::Undecodable("not an Engine.IO packet".to_owned()),
            Arrival::Undecodable("not an Engine.IO packet".to_owned()),
            Arrival::Undecodable("an Engine.IO open packet without settings".to_owned()),
            Arrival::Undecodable("not an Engine.IO packet".to_owned()),
            Arrival::Undecodable("not a Socket.IO packet".to_owned()),
            Arrival::Undecodable("not a Socket.IO packet".to_owned()),
        ],
    );
}

#[test]
fn events_of_another_namespace_are_ignored() {
    let mut decoder = Decoder::new(Framing::SocketIo4, "/crash", 1000);
    assert_eq!(decoder.decode("40"), [Arrival::Heartbeat]);
    assert_eq!(decoder.decode("40/crash,{\"sid\":\"x\"}"), [Arrival::Joined]);
    assert_eq!(decoder.decode("42[\"crash\",1]"), [Arrival::Heartbeat]);
    assert_eq!(decoder.decode("42/chat,[\"crash\",1]"), [Arrival::Heartbeat]);
    assert_eq!(decoder.decode("42/crash,[\"crash\",1]"), [doc(json!(["crash", 1]))]);
    assert_eq!(decoder.decode("41/crash"), [Arrival::Ended]);
    assert_eq!(decoder.encode("[\"join\"]"), "42/crash,0[\"join\"]");
    assert_eq!(decoder.encode("[\"more\"]"), "42/crash,1[\"more\"]");
    assert_eq!(join(Framing::SocketIo4, "/crash", &BTreeMap::new()).as_deref(), Some("40/crash,"));
    assert_eq!(join(Framing::SocketIo3, "/", &BTreeMap::new()), None);
}

proptest::proptest! {
    #[test]
    fn any_message_is_split_within_bounded_memory(
        messages in proptest::collection::vec("(\\PC|[\\[\\]{}\",:0-6/\\n\\x00]){0,40}", 0..20),
    ) {
        for framing in Framing::value_variants() {
            let mut decoder = Decoder::new(*framing, "/crash", 100);
            for message in &messages {
                for arrival in decoder.decode(message) {
                    proptest::prop_assert_ne!(arrival, Arrival::Answer(String::new()));
                }
                proptest::prop_assert!(decoder.begun.len() <= 100);
            }
        }
    }
}

#[test]
fn sent_messages_are_framed_like_received_ones() {
    for framing in Framing::value_variants() {
        let mut decoder = Decoder::new(*framing, "/", 1000);
        let sent = decoder.encode("[\"join\"]");
        assert_eq!(decoder.decode(&sent), [doc(json!(["join"]))], "{framing:?}");
    }
}

#[test]
fn the_credentials_of_socket_io_4_follow_the_namespace() {
    let auth = BTreeMap::from([("token".to_owned(), "a \"b\"".to_owned())]);
    let joined = |framing, namespace| join(framing, namespace, &auth);
    assert_eq!(joined(Framing::SocketIo4, "/").as_deref(), Some(r#"40{"token":"a \"b\""}"#));
    assert_eq!(
        joined(Framing::SocketIo4, "/crash").as_deref(),
        Some(r#"40/crash,{"token":"a \"b\""}"#)
    );
}

#[test]
fn a_message_with_another_framing_is_named_in_the_problem() {
    let mut decoder = Decoder::new(Framing::None, "/", 1000);
    for (text, framing) in [
        ("{\"type\":6}\u{1e}", "signalr"),
        ("{\"x\":2}\0", "nul"),
        ("0{\"sid\":\"a\"}", "socketio4"),
        ("42[\"crash\",2]", "socketio4"),
    ] {
        let arrivals = decoder.decode(text);
        let [Arrival::Undecodable(what)] = &arrivals[..] else { panic!("{arrivals:?}") };
        assert!(what.ends_with(&format!("; it looks like framing = {framing:?}")), "{what}");
    }
}
