/**
 * Many lists of small whole numbers in typed arrays: each a chain of chunks from one pool, appended at the end, read and
 * rewritten from the front. 4 bytes an entry and hardly more, nothing allocated per entry, and a list lies in memory
 * chunk by chunk, so that reading it is fast however many there are.
 */
export interface ChunkLists {
  readonly bytes: number;
  isEmpty(list: number): boolean;
  /** The first list from `from` on and before `end` that is not empty; −1: none. */
  nextFilled(from: number, end: number): number;
  append(list: number, entry: number): void;
  each(list: number, see: (entry: number) => void): void;
  /** Reads a list from the front and keeps, in their order, the entries for which `keep` says so. It must not append. */
  rewrite(list: number, keep: (entry: number) => boolean): void;
  /** Empties all. */
  clear(): void;
}

const NONE = -1;
/** 256 bytes: what a list wastes at its end is half of that on average. */
const CHUNK_BITS = 6;
const CHUNK = 1 << CHUNK_BITS;
/** The pool grows by blocks of 256 KiB: nothing is copied. */
const BLOCK_BITS = 10;
const BLOCK = 1 << BLOCK_BITS;
const BLOCK_MASK = BLOCK - 1;

export function createChunkLists(count: number): ChunkLists {
  const heads = new Int32Array(count).fill(NONE);
  const tails = new Int32Array(count).fill(NONE);
  /** Entries in the last chunk of each list. */
  const fills = new Uint8Array(count);
  /** One bit a list, set where it is not empty: stretches of empty ones are passed over 32 at a time. */
  const filled = new Uint32Array((count + 31) >> 5);
  const blocks: Uint32Array[] = [];
  /** The chunk after each; of a free one, the next free. */
  let nexts = new Int32Array(0);
  let used = 0;
  let free = NONE;

  function take(): number {
    if (free !== NONE) {
      const chunk = free;
      free = nexts[chunk]!;
      nexts[chunk] = NONE;
      return chunk;
    }
    const chunk = used++;
    if (chunk >> BLOCK_BITS === blocks.length) {
      blocks.push(new Uint32Array(BLOCK * CHUNK));
      if (nexts.length < used) {
        const more = new Int32Array(Math.max(BLOCK, nexts.length * 2));
        more.set(nexts);
        nexts = more;
      }
    }
    nexts[chunk] = NONE;
    return chunk;
  }

  function release(first: number): void {
    for (let chunk = first; chunk !== NONE; ) {
      const next = nexts[chunk]!;
      nexts[chunk] = free;
      free = chunk;
      chunk = next;
    }
  }

  return {
    get bytes() {
      const pool = blocks.length * BLOCK * CHUNK * 4;
      return pool + nexts.byteLength + heads.byteLength + tails.byteLength + fills.byteLength + filled.byteLength;
    },
    isEmpty: (list) => heads[list] === NONE,
    nextFilled: (from, end) => {
      if (from >= end) return -1;
      let word = from >> 5;
      let bits = filled[word]! & (-1 << (from & 31));
      while (bits === 0) {
        if (++word << 5 >= end) return -1;
        bits = filled[word]!;
      }
      const found = (word << 5) + 31 - Math.clz32(bits & -bits);
      return found < end ? found : -1;
    },
    append: (list, entry) => {
      let tail = tails[list]!;
      let fill = fills[list]!;
      if (tail === NONE || fill === CHUNK) {
        const chunk = take();
        if (tail === NONE) {
          heads[list] = chunk;
          filled[list >> 5]! |= 1 << (list & 31);
        } else nexts[tail] = chunk;
        tails[list] = tail = chunk;
        fill = 0;
      }
      blocks[tail >> BLOCK_BITS]![((tail & BLOCK_MASK) << CHUNK_BITS) | fill] = entry;
      fills[list] = fill + 1;
    },
    each: (list, see) => {
      for (let chunk = heads[list]!; chunk !== NONE; chunk = nexts[chunk]!) {
        const block = blocks[chunk >> BLOCK_BITS]!;
        const from = (chunk & BLOCK_MASK) << CHUNK_BITS;
        const to = from + (chunk === tails[list] ? fills[list]! : CHUNK);
        for (let at = from; at < to; at++) see(block[at]!);
      }
    },
    rewrite: (list, keep) => {
      const [head, tail, fill] = [heads[list]!, tails[list]!, fills[list]!];
      // Where the next kept entry goes; never ahead of where we read.
      let writeChunk = head;
      let written = 0;
      let kept = false;
      for (let chunk = head; chunk !== NONE; chunk = nexts[chunk]!) {
        const block = blocks[chunk >> BLOCK_BITS]!;
        const from = (chunk & BLOCK_MASK) << CHUNK_BITS;
        const to = from + (chunk === tail ? fill : CHUNK);
        for (let at = from; at < to; at++) {
          const entry = block[at]!;
          if (!keep(entry)) continue;
          kept = true;
          if (written === CHUNK) {
            writeChunk = nexts[writeChunk]!;
            written = 0;
          }
          blocks[writeChunk >> BLOCK_BITS]![((writeChunk & BLOCK_MASK) << CHUNK_BITS) | written++] = entry;
        }
      }
      if (head === NONE) return;
      if (!kept) {
        release(head);
        heads[list] = tails[list] = NONE;
        fills[list] = 0;
        filled[list >> 5]! &= ~(1 << (list & 31));
        return;
      }
      release(nexts[writeChunk]!);
      nexts[writeChunk] = NONE;
      tails[list] = writeChunk;
      fills[list] = written;
    },
    clear: () => {
      for (let list = 0; list < count; list++) {
        if (heads[list] !== NONE) release(heads[list]!);
        heads[list] = tails[list] = NONE;
        fills[list] = 0;
      }
      filled.fill(0);
    },
  };
}
