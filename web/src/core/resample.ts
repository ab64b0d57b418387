/**
 * Changes the sample rate of a stream of stereo blocks by a windowed sinc, evaluated exactly where each frame of
 * the output lies.
 *
 *     y[k] = sum_n x[n] * h(t_k - n),   h(t) = c * sinc(c * t) * kaiser(t / H),   c = 2 * cutoff / from
 *
 * Times are whole numbers of ticks of 1 / lcm(from, to) s, so that nothing drifts. The filter is symmetrical
 * around the output's place: there is no delay, only frames that have to wait for those H behind them.
 * Pass band to 0.907 of the lower Nyquist frequency (20 kHz at 44.1 kHz), stop band from it on at -110 dB.
 *
 * Source: J. O. Smith, "Digital Audio Resampling Home Page"; J. F. Kaiser's design formulae of 1974.
 */

const STOP_BAND_DB = 110;
const PASS = 0.907;
const BETA = 0.1102 * (STOP_BAND_DB - 8.7);
/** Filter length in periods of the lower rate, from Kaiser's (A - 7.95) / (14.36 * width / rate). */
const LENGTH = (STOP_BAND_DB - 7.95) / (14.36 * ((1 - PASS) / 2));

export type Stereo = [left: Float32Array, right: Float32Array];

export class Resampler {
  /** Ticks from one frame of the source to the next, and of the output. */
  readonly sourceStep: number;
  readonly outputStep: number;
  private readonly half: number;
  private readonly cutoff: number;
  private readonly phases: (Float64Array | undefined)[] = [];
  /** Source frames from number `first` on, those before frame 0 being silence. */
  private held: Stereo;
  private first: number;
  private end = 0;
  private tick: number;

  /**
   * `from` and `to` in Hz; `firstTick` is where the first frame of the output lies, the first of the source
   * being at 0.
   */
  constructor(
    readonly from: number,
    readonly to: number,
    firstTick = 0,
  ) {
    const divisor = greatestCommonDivisor(from, to);
    this.sourceStep = to / divisor;
    this.outputStep = from / divisor;
    const lower = Math.min(1, to / from);
    this.half = from === to ? 0 : Math.ceil(LENGTH / lower / 2);
    this.cutoff = (lower * (1 + PASS)) / 2;
    this.first = -this.half;
    this.held = [new Float32Array(this.half), new Float32Array(this.half)];
    this.tick = firstTick;
  }

  /** How far behind the end of what was pushed the next frame of the output lies, in ticks. */
  get overhang(): number {
    return this.tick - this.end * this.sourceStep;
  }

  /** One that goes on from here as this one would. */
  clone(): Resampler {
    const copy = new Resampler(this.from, this.to, this.tick);
    copy.held = [this.held[0].slice(), this.held[1].slice()];
    copy.first = this.first;
    copy.end = this.end;
    return copy;
  }

  /** The frames of the output that can be made with these; where the rates are equal, these. */
  push(left: Float32Array, right: Float32Array): Stereo {
    this.end += left.length;
    if (this.from === this.to) {
      this.tick += left.length;
      return [left, right];
    }
    this.held = [joined(this.held[0], left), joined(this.held[1], right)];
    return this.make(Math.floor(this.tickLimit(this.end - this.half)));
  }

  /** What is left, silence following: the output ends with the source. Nothing may be pushed after it. */
  finish(): Stereo {
    if (this.from === this.to) return [new Float32Array(0), new Float32Array(0)];
    const silence = new Float32Array(this.half + 1);
    this.held = [joined(this.held[0], silence), joined(this.held[1], silence)];
    return this.make(this.tickLimit(this.end));
  }

  private tickLimit(sourceFrame: number): number {
    return sourceFrame * this.sourceStep;
  }

  /** All frames of the output before `limit`. */
  private make(limit: number): Stereo {
    const frames = Math.max(0, Math.ceil((limit - this.tick) / this.outputStep));
    const made: Stereo = [new Float32Array(frames), new Float32Array(frames)];
    const [left, right] = this.held;
    for (let frame = 0; frame < frames; frame++, this.tick += this.outputStep) {
      const place = Math.floor(this.tick / this.sourceStep);
      const filter = this.filter(this.tick - place * this.sourceStep);
      const begin = place - this.half + 1 - this.first;
      let sumLeft = 0;
      let sumRight = 0;
      for (let n = 0; n < filter.length; n++) {
        const weight = filter[n] as number;
        sumLeft += weight * (left[begin + n] as number);
        sumRight += weight * (right[begin + n] as number);
      }
      made[0][frame] = sumLeft;
      made[1][frame] = sumRight;
    }
    this.forget();
    return made;
  }

  private forget(): void {
    const needed = Math.floor(this.tick / this.sourceStep) - this.half + 1;
    const gone = Math.min(this.held[0].length, needed - this.first);
    if (gone <= 0) return;
    this.held = [this.held[0].slice(gone), this.held[1].slice(gone)];
    this.first += gone;
  }

  /** The weights of the 2 H source frames about an output that lies `phase` ticks behind a source frame. */
  private filter(phase: number): Float64Array {
    const known = this.phases[phase];
    if (known) return known;
    const weights = new Float64Array(2 * this.half);
    let sum = 0;
    for (let n = 0; n < weights.length; n++) {
      const distance = n - this.half + 1 - phase / this.sourceStep;
      const weight = sinc(this.cutoff * distance) * kaiser(distance / this.half);
      weights[n] = weight;
      sum += weight;
    }
    // The same gain for every phase: otherwise a constant would come out with a ripple.
    for (let n = 0; n < weights.length; n++) weights[n] = (weights[n] as number) / sum;
    this.phases[phase] = weights;
    return weights;
  }
}

export function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function joined(before: Float32Array, after: Float32Array): Float32Array {
  const both = new Float32Array(before.length + after.length);
  both.set(before);
  both.set(after, before.length);
  return both;
}

function sinc(t: number): number {
  return t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
}

const KAISER_AT_0 = bessel(BETA);

function kaiser(t: number): number {
  return Math.abs(t) >= 1 ? 0 : bessel(BETA * Math.sqrt(1 - t * t)) / KAISER_AT_0;
}

/** The modified Bessel function of the first kind and order 0, by its power series. */
function bessel(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
