import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { CompressionCodecs, CompressionTypes } from './kafkajs.js';

/** The largest decompressed batch, in bytes: guards against decompression bombs. */
const MOST = 64 * 1024 * 1024;

/**
 * Lets kafkajs read what foreign producers, and brokers with a `compression.type` of their own, compress with snappy, lz4 or
 * zstd; without it one such batch stops the consumer for good. Nothing is compressed here.
 */
export function registerCodecs(): void {
  const readOnly = (name: string, decompress: (packed: Buffer) => Buffer | Promise<Buffer>) => () => ({
    compress: () => Promise.reject(new Error(`this system reads ${name} but does not write it`)),
    decompress: async (packed: Buffer) => decompress(packed),
  });
  CompressionCodecs[CompressionTypes.Snappy] = readOnly('snappy', unsnappy);
  CompressionCodecs[CompressionTypes.LZ4] = readOnly('lz4', unlz4);
  const unzstd = promisify(zstdDecompress);
  CompressionCodecs[CompressionTypes.ZSTD] = readOnly('zstd', (packed) => unzstd(packed, { maxOutputLength: MOST }));
}

/** A growing output buffer that can copy from its own earlier bytes, as both formats need. */
class Unpacked {
  private bytes = Buffer.allocUnsafe(64 * 1024);
  private length = 0;

  append(source: Buffer): void {
    this.reserve(source.length);
    this.length += source.copy(this.bytes, this.length);
  }

  /** Repeats `count` bytes from `distance` bytes before the end; they may overlap with what is being written. */
  repeat(distance: number, count: number): void {
    if (distance === 0 || distance > this.length) throw new Error('a compressed batch refers to data outside of it');
    this.reserve(count);
    for (let left = count; left > 0;) {
      const part = Math.min(left, distance);
      this.bytes.copyWithin(this.length, this.length - distance, this.length - distance + part);
      this.length += part;
      left -= part;
    }
  }

  result = (): Buffer => this.bytes.subarray(0, this.length);

  private reserve(count: number): void {
    const needed = this.length + count;
    if (needed > MOST) throw new Error(`a compressed batch contains more than ${MOST} bytes`);
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.min(Math.max(needed, this.bytes.length * 2), MOST));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}

/** Reads little-endian numbers and slices; throws when the input is too short. */
class Reader {
  private at = 0;

  constructor(private readonly source: Buffer) {}

  get done(): boolean {
    return this.at >= this.source.length;
  }

  number(bytes: number): number {
    this.at += bytes;
    return this.source.readUIntLE(this.at - bytes, bytes);
  }

  piece(length: number): Buffer {
    this.at += length;
    if (this.at > this.source.length) throw new Error('a compressed batch is truncated');
    return this.source.subarray(this.at - length, this.at);
  }
}

const XERIAL = Buffer.from('\x82SNAPPY\x00', 'latin1');

/** Snappy as Java's clients frame it (blocks behind a header of 16 bytes), or bare as others do. */
export function unsnappy(packed: Buffer): Buffer {
  const unpacked = new Unpacked();
  if (!packed.subarray(0, 8).equals(XERIAL)) unsnappyBlock(packed, unpacked);
  else
    for (let at = 16; at < packed.length;) {
      const length = packed.readUInt32BE(at);
      unsnappyBlock(new Reader(packed.subarray(at + 4)).piece(length), unpacked);
      at += 4 + length;
    }
  return unpacked.result();
}

/** https://github.com/google/snappy/blob/main/format_description.txt */
function unsnappyBlock(block: Buffer, unpacked: Unpacked): void {
  const reader = new Reader(block);
  // The decompressed length, which is not needed: the output grows on demand.
  while (reader.number(1) & 0x80);
  while (!reader.done) {
    const tag = reader.number(1);
    const high = tag >> 2;
    switch (tag & 3) {
      case 0:
        unpacked.append(reader.piece(1 + (high < 60 ? high : reader.number(high - 59))));
        break;
      case 1:
        unpacked.repeat(((tag >> 5) << 8) | reader.number(1), 4 + (high & 7));
        break;
      default:
        unpacked.repeat(reader.number((tag & 3) === 2 ? 2 : 4), 1 + high);
    }
  }
}

const LZ4_FRAME = 0x184d2204;
const UNPACKED = 0x80000000;

/** https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md, without checksums: Kafka has its own. */
export function unlz4(packed: Buffer): Buffer {
  const reader = new Reader(packed);
  if (reader.number(4) !== LZ4_FRAME) throw new Error('a compressed batch is not an lz4 frame');
  const flags = reader.number(1);
  // Block size, then what the flags say: size of the content, dictionary; then a checksum.
  reader.piece(1 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0) + 1);
  const unpacked = new Unpacked();
  for (let size = reader.number(4); size !== 0; size = reader.number(4)) {
    const block = reader.piece(size % UNPACKED);
    if (size >= UNPACKED) unpacked.append(block);
    else unlz4Block(new Reader(block), unpacked);
    if (flags & 0x10) reader.piece(4);
  }
  return unpacked.result();
}

/** https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md */
function unlz4Block(reader: Reader, unpacked: Unpacked): void {
  const lengthOf = (nibble: number): number => {
    let length = nibble;
    for (let more = nibble === 15 ? 255 : 0; more === 255; length += more) more = reader.number(1);
    return length;
  };
  while (!reader.done) {
    const token = reader.number(1);
    unpacked.append(reader.piece(lengthOf(token >> 4)));
    // The last sequence is literals only.
    if (!reader.done) unpacked.repeat(reader.number(2), 4 + lengthOf(token & 15));
  }
}
