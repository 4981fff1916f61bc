//! The bytes that are stored and sent: the same as the npm baseline's, so that both sides do the same work.

use bytes::Bytes;

/// Block `index`: incompressible enough, and different for every index. The same bytes as `source.mjs` of the baseline makes,
/// but for the last three at most, which are zero in both.
#[must_use]
pub fn block(index: u64, size: usize) -> Bytes {
    let mut block = vec![0; size];
    for (word, chunk) in block.chunks_exact_mut(4).enumerate() {
        let factor = 2_654_435_761_u64.wrapping_add(4 * word as u64);
        // `Math.imul`: the low 32 bits of the product.
        let value = (index.wrapping_add(1) as u32).wrapping_mul(factor as u32);
        chunk.copy_from_slice(&value.to_le_bytes());
    }
    block.into()
}

/// The first `count` blocks.
#[must_use]
pub fn blocks(count: u64, size: usize) -> Vec<Bytes> {
    (0..count).map(|index| block(index, size)).collect()
}

/// One change of a document: 200 hexadecimal digits, as the baselines push 100 random bytes in hexadecimal.
#[must_use]
pub fn change(index: u64) -> String {
    block(index, 100).iter().map(|byte| format!("{byte:02x}")).collect()
}
