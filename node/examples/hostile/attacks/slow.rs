//! Everything half done and nothing finished: frames that come a byte at a time, streams on which nothing is said, more streams than
//! a node takes, handshakes that stop in the middle; and nothing that the node says is read.

use std::{
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use libp2p::{Multiaddr, multiaddr::Protocol};
use weft_wire::varint;

use super::{Attack, Kept, cut_off_within};
use crate::{Failed, net::INVITATION, replica::Replica};

/// Between two bytes.
const PAUSE: Duration = Duration::from_millis(200);
/// What one byte may take to be sent.
const STUCK: Duration = Duration::from_secs(1);
/// How long the node may take to have enough: it gives a frame 30 s.
const ENOUGH: Duration = Duration::from_secs(90);
/// Streams of one protocol that are tried.
const STREAMS: usize = 20;
/// Handshakes that stop in the middle.
const HANDSHAKES: usize = 20;

pub(super) async fn run(mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
    let half_open = handshakes(attack.address)?;
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        // A frame of 16 KiB is announced. A stream that the node does not take is reset, which these bytes show.
        if let Ok(mut stream) = attack.net.open(INVITATION).await
            && stream.offer(&[0xff, 0x7f], STUCK).await
        {
            streams.push(stream);
        }
    }
    let mut frame = Vec::new();
    varint::write(2 << 20, &mut frame);
    replica.stream.send_raw(&frame).await;
    let ended = cut_off_within(attack.net, ENOUGH);
    tokio::pin!(ended);
    loop {
        tokio::select! {
            kept = &mut ended => {
                drop(half_open);
                return kept;
            }
            () = tokio::time::sleep(PAUSE) => {}
        }
        replica.stream.offer(&[0], STUCK).await;
        for stream in &mut streams {
            stream.offer(&[0x0a], STUCK).await;
        }
    }
}

/// Connections that say less than a handshake, over TCP.
fn handshakes(address: &str) -> Result<Vec<TcpStream>, Failed> {
    use std::io::Write;
    let address: Multiaddr = address.parse()?;
    let mut parts = address.iter();
    let (Some(Protocol::Ip4(ip)), Some(Protocol::Tcp(port))) = (parts.next(), parts.next()) else {
        return Ok(Vec::new());
    };
    let begun = (0..HANDSHAKES).map(|_| {
        let mut stream = TcpStream::connect(SocketAddr::from((ip, port)))?;
        stream.write_all(b"\x13/multistream/1.0.0\n\x07/noi")?;
        Ok(stream)
    });
    begun.collect()
}
