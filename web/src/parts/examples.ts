/** Queries to begin with: what can be asked of a library that was measured. */

export interface Example {
  name: string;
  words: string;
  query: string;
}

export const EXAMPLES: readonly Example[] = [
  {
    name: "Loud and pressed",
    words: "Mastered hot, with little room left",
    query: "lufs > -10 and plr_db < 10 order by lufs desc",
  },
  {
    name: "Room to breathe",
    words: "Peaks far above the average",
    query: "plr_db > 14 order by plr_db desc limit 100",
  },
  {
    name: "Late at night",
    words: "Soft, slow and dark",
    query: "lufs < -16 and tempo_bpm < 100 order by spectral_centroid",
  },
  {
    name: "Up and out",
    words: "A steady beat, 118 to 132 a minute",
    query: "tempo_bpm between 118 and 132 and rhythm_stability > 0.5",
  },
  {
    name: "Wide",
    words: "Much between left and right",
    query: "stereo_width > 0.4 order by stereo_width desc limit 100",
  },
  {
    name: "Never heard",
    words: "What you have not played yet",
    query: "play_count = 0 order by added desc limit 100",
  },
  {
    name: "New this month",
    words: "Added in the last 30 days",
    query: "added > 30 days ago order by added desc",
  },
  {
    name: "Lossless",
    words: "FLAC, ALAC and WavPack",
    query: 'format in ("flac", "alac", "wavpack") order by artist, album',
  },
];
