//! The examples of feeds whose messages are bytes.

use collector::feed::message_format::{MessageCodec, MessageFormat};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::super::server::{Server, answer};
use super::super::{next, shown};
use super::{Socket, example_at, received, wait_for_close};

fn codec(format: MessageFormat) -> MessageCodec {
    MessageCodec::new(format, &std::collections::BTreeMap::new(), &[]).unwrap()
}

#[tokio::test]
async fn messagepack() {
    let script = |mut socket: Socket| async move {
        let codec = codec(MessageFormat::MsgPack);
        let joined = socket.next().await.unwrap().unwrap().into_data();
        assert_eq!(codec.decode(&joined).unwrap(), [json!({"t": "join", "room": "crash"})]);
        for message in [
            json!({"t": "tick", "x": 1.5}),
            json!({"t": "end", "x": 2.31, "id": 41}),
            json!({"t": "end", "x": 1, "id": "42"}),
        ] {
            let bytes = codec.encode(&message.to_string()).unwrap();
            socket.send(Message::binary(bytes)).await.unwrap();
        }
        wait_for_close(socket).await;
    };
    let (all, _) = received("messagepack.toml", script, 2).await;
    assert_eq!(all, ["41=2.31", "42=1.00"]);
}

#[tokio::test]
async fn cbor_list() {
    let server = Server::http(move |head, _| {
        assert!(head.contains("accept: application/cbor\r\n"), "{head}");
        let rounds = json!({"rounds": [{"id": 2, "x": 1.5}, {"id": 1, "x": 33.33}]}).to_string();
        answer("200 OK", "", codec(MessageFormat::Cbor).encode(&rounds).unwrap())
    })
    .await;
    let mut source = example_at("cbor-list.toml", &server);
    source.connect().await.unwrap();
    assert_eq!(shown(&next(&mut source).await.unwrap()), "[2=1.50, 1=33.33]");
}

/// Returns the bytes of a round: field 1 a fixed64, field 2 a varint of two bytes.
fn round(id: u64, hundredths: u8) -> Vec<u8> {
    let id = id.to_le_bytes();
    [&[0x09][..], &id, &[0x10, 0x80 | (hundredths & 0x7f), hundredths >> 7]].concat()
}

#[tokio::test]
async fn protobuf() {
    let script = |mut socket: Socket| async move {
        let joined = socket.next().await.unwrap().unwrap().into_data();
        assert_eq!(joined[..], *b"\x08\x01\x12\x05crash");
        let history = [&[0x08, 5, 0x22, 12][..], &round(7_000_000_001, 150)].concat();
        let tick = vec![0x08, 6, 0x10, 120];
        let end = [&[0x08, 7, 0x1a, 12][..], &round(7_000_000_002, 231)].concat();
        for message in [history, tick, end] {
            socket.send(Message::binary(message)).await.unwrap();
        }
        wait_for_close(socket).await;
    };
    let (all, _) = received("protobuf.toml", script, 2).await;
    assert_eq!(all, ["[7000000001=1.50]", "7000000002=2.31"]);
}
