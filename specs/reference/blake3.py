"""BLAKE3 in derive-key mode, as specs/crypto.md needs it: H(context; parts)."""

IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
CHUNK_START, CHUNK_END, PARENT, ROOT, CONTEXT, MATERIAL = 1, 2, 4, 8, 32, 64
MASK = 0xFFFFFFFF


def _compress(chaining, block, counter, length, flags):
    words = [int.from_bytes(block[at : at + 4], "little") for at in range(0, 64, 4)]
    state = [*chaining, *IV[:4], counter & MASK, counter >> 32, length, flags]

    def mix(a, b, c, d, x, y):
        state[a] = (state[a] + state[b] + x) & MASK
        state[d] = _right(state[d] ^ state[a], 16)
        state[c] = (state[c] + state[d]) & MASK
        state[b] = _right(state[b] ^ state[c], 12)
        state[a] = (state[a] + state[b] + y) & MASK
        state[d] = _right(state[d] ^ state[a], 8)
        state[c] = (state[c] + state[d]) & MASK
        state[b] = _right(state[b] ^ state[c], 7)

    for _ in range(7):
        for at in range(4):
            mix(at, at + 4, at + 8, at + 12, words[2 * at], words[2 * at + 1])
        for at in range(4):
            mix(at, (at + 1) % 4 + 4, (at + 2) % 4 + 8, (at + 3) % 4 + 12, words[2 * at + 8], words[2 * at + 9])
        words = [words[at] for at in PERMUTATION]
    return [state[at] ^ state[at + 8] for at in range(8)] + [state[at + 8] ^ chaining[at] for at in range(8)]


def _right(word, by):
    return (word >> by | word << (32 - by)) & MASK


def _chunk(key, chunk, counter, flags):
    """What is left of a chunk before its last compression."""
    blocks = [chunk[at : at + 64] for at in range(0, len(chunk), 64)] or [b""]
    chaining = key
    for number, block in enumerate(blocks):
        mode = flags | (CHUNK_START if number == 0 else 0) | (CHUNK_END if number == len(blocks) - 1 else 0)
        last = (chaining, block.ljust(64, b"\0"), counter, len(block), mode)
        if number < len(blocks) - 1:
            chaining = _compress(*last)[:8]
    return last


def _tree(key, data, first, flags):
    if len(data) <= 1024:
        return _chunk(key, data, first, flags)
    left = 1024
    while left * 2 < len(data):
        left *= 2
    children = []
    for part, counter in ((data[:left], first), (data[left:], first + left // 1024)):
        children += _compress(*_tree(key, part, counter, flags))[:8]
    block = b"".join(word.to_bytes(4, "little") for word in children)
    return (key, block, 0, 64, flags | PARENT)


def _hash(key, data, flags):
    chaining, block, counter, length, mode = _tree(key, data, 0, flags)
    words = _compress(chaining, block, counter, length, mode | ROOT)
    return b"".join(word.to_bytes(4, "little") for word in words[:8])


def derive_key(context, material):
    """32 bytes."""
    key = _hash(list(IV), context.encode(), CONTEXT)
    key = [int.from_bytes(key[at : at + 4], "little") for at in range(0, 32, 4)]
    return _hash(key, material, MATERIAL)
