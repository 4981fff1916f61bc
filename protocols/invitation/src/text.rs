//! How the message of a link becomes a text that survives being pasted. Spec: INVITATION-1.1.

use bytes::Bytes;
use weft_crypto::{Context, Hasher, base32};
use weft_wire::varint;

use crate::LinkError;

/// Characters of a link: room for everything a link may hold.
const CHARS_MAX: usize = 12 << 10;
const CHECKSUM: usize = 4;

/// The scheme, and base32 of length, message and checksum.
pub(crate) fn encode(scheme: &str, context: Context, message: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(message.len() + 8);
    varint::write(message.len() as u64, &mut bytes);
    bytes.extend_from_slice(message);
    bytes.extend_from_slice(&checksum(context, message));
    format!("{scheme}{}", base32::encode(&bytes))
}

/// The message in what somebody pasted.
pub(crate) fn decode(scheme: &str, context: Context, text: &str) -> Result<Bytes, LinkError> {
    let text = text.trim();
    let starts = text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    if !starts {
        return Err(LinkError::NotALink);
    }
    if text.len() > CHARS_MAX {
        return Err(LinkError::TooLong { found: text.len() });
    }
    let text = text[scheme.len()..].to_ascii_lowercase();
    if !text.bytes().all(|c| matches!(c, b'a'..=b'z' | b'2'..=b'7')) {
        return Err(LinkError::Character);
    }
    let bytes = Bytes::from(decode_prefix(&text)?);
    let (length, used) = varint::read(&bytes).map_err(|_| LinkError::Damaged)?.ok_or(LinkError::CutShort)?;
    let rest = bytes.slice(used..);
    let length = usize::try_from(length).map_err(|_| LinkError::Damaged)?;
    let whole = length.checked_add(CHECKSUM).ok_or(LinkError::Damaged)?;
    if whole > CHARS_MAX {
        return Err(LinkError::Damaged);
    }
    if rest.len() < whole {
        return Err(LinkError::CutShort);
    }
    let message = rest.slice(..length);
    if rest.len() > whole || rest[length..] != checksum(context, &message) {
        return Err(LinkError::Damaged);
    }
    Ok(message)
}

/// Field 1, which is written first.
pub(crate) fn version_of(message: &[u8]) -> Option<u32> {
    let (&0x08, rest) = message.split_first()? else {
        return None;
    };
    let (version, _) = varint::read(rest).ok().flatten()?;
    version.try_into().ok()
}

/// Base32 of as many characters as make whole bytes: a text that was cut anywhere is read as far as it goes.
fn decode_prefix(text: &str) -> Result<Vec<u8>, LinkError> {
    match base32::decode(text) {
        Ok(bytes) => Ok(bytes),
        Err(_) => {
            let whole = text.len() / 8 * 8;
            base32::decode(&text[..whole]).map_err(|_| LinkError::Damaged)
        }
    }
}

fn checksum(context: Context, message: &[u8]) -> [u8; CHECKSUM] {
    let hash = Hasher::new(context).var(message).finish();
    [hash[0], hash[1], hash[2], hash[3]]
}
