/**
 * Stereo frames between one who writes and one who reads, in memory that is there from the beginning.
 *
 * Frames are counted from 0 since `clear`; `read` and `written` never wrap, only where they lie does.
 */
export class Ring {
  readonly left: Float32Array;
  readonly right: Float32Array;
  private readonly mask: number;
  /** frames that were read, and that were written, since `clear` */
  read = 0;
  written = 0;

  /** Holds at least `frames` frames. */
  constructor(frames: number) {
    let size = 1;
    while (size < frames) size *= 2;
    this.left = new Float32Array(size);
    this.right = new Float32Array(size);
    this.mask = size - 1;
  }

  get capacity(): number {
    return this.mask + 1;
  }

  get available(): number {
    return this.written - this.read;
  }

  clear(): void {
    this.read = this.written = 0;
  }

  /** Where frame number `frame` lies in `left` and `right`. */
  at(frame: number): number {
    // Counts of frames pass 2^31 only after half a day in one lane; the remainder stays exact beyond that.
    return frame % (this.mask + 1);
  }

  /**
   * Appends frames. Throws a RangeError where they do not fit: who writes knows how much was read.
   */
  write(left: Float32Array, right: Float32Array): void {
    const frames = left.length;
    if (frames > this.capacity - this.available) {
      throw new RangeError(`${frames} frames for ${this.capacity - this.available}`);
    }
    const begin = this.at(this.written);
    const first = Math.min(frames, this.capacity - begin);
    this.left.set(first < frames ? left.subarray(0, first) : left, begin);
    this.right.set(first < frames ? right.subarray(0, first) : right, begin);
    if (first < frames) {
      this.left.set(left.subarray(first), 0);
      this.right.set(right.subarray(first), 0);
    }
    this.written += frames;
  }

  /** Reads to frame number `frame` without looking, as far as there is anything. */
  skipTo(frame: number): void {
    this.read = Math.min(this.written, Math.max(this.read, frame));
  }

  /** Forgets what was written from frame number `frame` on and has not been read. */
  cut(frame: number): void {
    this.written = Math.max(this.read, Math.min(this.written, frame));
  }
}
