/**
 * From an analyser's bins to third-octaves, so that what sounds now can be laid over what was measured of the track.
 *
 *     P(f) = 2 / m  *  sum of 10^(dB/10) over the bins in f 2^(-1/6) .. f 2^(1/6)
 *
 * An analyser's bins are those of a transform that is divided by its length, of half the spectrum (hence the 2), and of
 * sound under a Blackman window, whose mean square is m = 0.42^2 + 0.5^2 / 2 + 0.08^2 / 2. Bins astride a border count by
 * their share.
 *
 * Source: W3C Web Audio API, "FFT Windowing and Smoothing over Time"; Parseval's theorem.
 */

const WINDOW_MEAN_SQUARE = 0.42 ** 2 + 0.5 ** 2 / 2 + 0.08 ** 2 / 2;
const HALF_THIRD = 2 ** (1 / 6);
const SILENT_DB = -200;

export class ThirdOctaves {
  readonly #sums: Float64Array;

  /** @param bins of the analyser; @param rate Hz, of its context */
  constructor(
    bins: number,
    private readonly rate: number,
  ) {
    this.#sums = new Float64Array(bins + 1);
  }

  /** Takes what the analyser says now, dB for each bin. */
  take(levels_db: Float32Array): void {
    let sum = 0;
    for (let bin = 0; bin < this.#sums.length - 1; bin++) {
      sum += 10 ** ((levels_db[bin] ?? SILENT_DB) / 10);
      this.#sums[bin + 1] = sum;
    }
  }

  /** Power of the third-octave around a frequency, dB full scale. */
  level(hertz: number): number {
    const power = this.#until(hertz * HALF_THIRD) - this.#until(hertz / HALF_THIRD);
    return power > 0 ? Math.max(SILENT_DB, 10 * Math.log10((2 * power) / WINDOW_MEAN_SQUARE)) : SILENT_DB;
  }

  /** Power of all that lies under a frequency. */
  #until(hertz: number): number {
    const bins = this.#sums.length - 1;
    // Bin k stands for what lies half a bin to each side of its frequency.
    const at = Math.min(bins, Math.max(0, (hertz / this.rate) * 2 * bins + 0.5));
    const whole = Math.floor(at);
    const below = this.#sums[whole] ?? 0;
    return below + (at - whole) * ((this.#sums[whole + 1] ?? below) - below);
  }
}
