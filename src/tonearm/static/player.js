// The player: one file that is both the page's script and its AudioWorklet module.
//
// The worklet plays interleaved float32 blocks and knows which frame of the track it is at. A stream
// is told apart by its epoch: blocks of any other never sound. Where the mastering is switched within
// a track, the new stream takes over at the exact frame the old one has reached.

const HIGH_WATER_S = 15; // buffered beyond this, the server is asked to stop
const LOW_WATER_S = 8; //   below this, to go on
const REPORT_FRAMES = 4096;

if (typeof AudioWorkletGlobalScope !== "undefined") {
  class Playback extends AudioWorkletProcessor {
    constructor() {
      super();
      this.port.onmessage = ({ data }) => this[data.do](data);
      this.stream = null;
      this.next = null;
      this.sinceReport = 0;
    }

    // A new stream; what plays now goes on until its first block is there if it may, else it stops.
    start({ epoch, channels, frame, seamless }) {
      this.next = { epoch, channels, frame, blocks: [], offset: 0, buffered: 0, ended: false };
      if (!seamless) this.stream = null;
    }

    samples({ epoch, samples }) {
      if (this.next && this.next.epoch === epoch) this.takeOver();
      const stream = this.stream;
      if (!stream || stream.epoch !== epoch) return;
      stream.blocks.push(samples);
      stream.buffered += samples.length / stream.channels;
      this.skip(stream);
    }

    end({ epoch }) {
      if (this.next && this.next.epoch === epoch) this.takeOver();
      if (this.stream && this.stream.epoch === epoch) this.stream.ended = true;
    }

    stop() {
      this.stream = this.next = null;
    }

    takeOver() {
      const heard = this.stream ? this.stream.frame : this.next.frame;
      this.stream = this.next;
      this.stream.toSkip = Math.max(0, heard - this.stream.frame);
      this.next = null;
    }

    skip(stream) {
      while (stream.toSkip > 0 && stream.blocks.length) stream.toSkip -= this.take(stream, null, 0, stream.toSkip);
    }

    // Move up to `wanted` frames out of the first block, to `output` or nowhere; returns how many.
    take(stream, output, at, wanted) {
      const block = stream.blocks[0];
      const frames = Math.min(wanted, block.length / stream.channels - stream.offset);
      if (output) {
        for (let channel = 0; channel < output.length; channel++) {
          const source = Math.min(channel, stream.channels - 1);
          for (let n = 0; n < frames; n++) {
            output[channel][at + n] = block[(stream.offset + n) * stream.channels + source];
          }
        }
      }
      stream.offset += frames;
      stream.frame += frames;
      stream.buffered -= frames;
      if (stream.offset * stream.channels === block.length) {
        stream.blocks.shift();
        stream.offset = 0;
      }
      return frames;
    }

    process(_, [output]) {
      const stream = this.stream;
      if (!stream) return true;
      let at = 0;
      while (at < output[0].length && stream.blocks.length) at += this.take(stream, output, at, output[0].length - at);
      this.sinceReport += output[0].length;
      const drained = stream.ended && !stream.blocks.length;
      if (drained || this.sinceReport >= REPORT_FRAMES) {
        this.sinceReport = 0;
        this.port.postMessage({ epoch: stream.epoch, frame: stream.frame, buffered: stream.buffered, drained });
      }
      if (drained) this.stream = null;
      return true;
    }
  }
  registerProcessor("tonearm-playback", Playback);
} else {
  openPage();
}

function openPage() {
  const $ = (id) => document.getElementById(id);
  const tonearm = (window.tonearm = { context: null, output: null, epoch: 0, state: "idle" });
  const wanted = { track: null, from: 0, seamless: false }; // what was asked of the server last
  const playing = { epoch: 0, rate: 0, duration: 0, frame: 0, full: false, failed: false };
  let socket = null;
  let retry = 500;
  let meta = null; // of the binary message that comes next
  let node = null;
  let shown = [];

  // ---- sound -------------------------------------------------------------------------------------

  // One context at the stream's own rate, so that nothing is resampled on the way out of here.
  async function openSound(rate) {
    if (tonearm.context && tonearm.context.sampleRate === rate) return node;
    if (tonearm.context) tonearm.context.close();
    tonearm.output = node = null;
    const context = (tonearm.context = new AudioContext({ sampleRate: rate }));
    if (!context.audioWorklet) throw new Error("This browser plays here only over https or on the server's own machine.");
    await context.audioWorklet.addModule("/static/player.js");
    if (tonearm.context !== context) return null; // another rate was asked for meanwhile
    const opened = new AudioWorkletNode(context, "tonearm-playback", { numberOfInputs: 0, outputChannelCount: [2] });
    const volume = new GainNode(context, { gain: gain() });
    opened.connect(volume).connect(context.destination);
    opened.port.onmessage = ({ data }) => heard(data);
    node = opened;
    tonearm.output = volume;
    return node;
  }

  const gain = () => (Number($("volume").value) / 100) ** 2;

  // Frames may come while the context still opens: what is to be done waits in line behind it.
  let line = Promise.resolve();
  function inLine(work) {
    line = line.then(work).catch((error) => complain(error.message));
  }

  // Not waited for: a browser that wants a gesture first keeps this promise until it gets one.
  function letSound(on) {
    if (tonearm.context) void (on ? tonearm.context.resume() : tonearm.context.suspend());
  }

  function heard({ epoch, frame, buffered, drained }) {
    if (epoch !== playing.epoch) return;
    playing.frame = frame;
    showPosition();
    const seconds = buffered / playing.rate;
    if (!playing.full && seconds > HIGH_WATER_S) flow(true);
    else if (playing.full && seconds < LOW_WATER_S) flow(false);
    if (drained) finished();
  }

  function flow(full) {
    playing.full = full;
    say(full ? "buffer_full" : "buffer_ready");
  }

  // ---- the socket --------------------------------------------------------------------------------

  function connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${scheme}//${location.host}/ws?transport=binary`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      retry = 500;
      complain("");
      askScan();
      refresh();
    };
    socket.onmessage = ({ data }) => (typeof data === "string" ? hear(JSON.parse(data)) : samples(data));
    socket.onclose = () => {
      meta = null;
      wanted.from = seconds();
      tonearm.epoch = 0;
      stopHere();
      complain("The server cannot be reached. Trying again.");
      setTimeout(connect, retry);
      retry = Math.min(retry * 2, 10000);
    };
  }

  function say(type, data = {}) {
    if (socket.readyState !== WebSocket.OPEN) return complain("The server cannot be reached. Trying again.");
    socket.send(JSON.stringify({ type, data }));
  }

  const isCurrent = (epoch) => epoch === playing.epoch && playing.epoch !== 0;

  const words = {
    audio_stream_start(data) {
      if (!wanted.track || data.track_id !== wanted.track.id || data.stream_epoch <= tonearm.epoch) return;
      Object.assign(playing, {
        epoch: data.stream_epoch,
        rate: data.sample_rate,
        duration: data.total_duration,
        full: false,
        failed: false,
      });
      tonearm.epoch = data.stream_epoch;
      showState(data.mastering_state);
      const first = Math.round(data.start_position * data.sample_rate);
      const seamless = wanted.seamless;
      if (!seamless) playing.frame = first;
      showPosition();
      inLine(async () => {
        const opened = await openSound(data.sample_rate);
        if (!opened || !isCurrent(data.stream_epoch)) return;
        opened.port.postMessage({ do: "start", epoch: data.stream_epoch, channels: data.channels, frame: first, seamless });
        letSound(tonearm.state === "playing");
      });
    },
    audio_chunk_meta(data) {
      meta = data;
    },
    audio_stream_end(data) {
      if (!isCurrent(data.stream_epoch)) return;
      if (data.reason === "completed") playing.duration = data.duration;
      playing.failed = data.reason === "errored";
      inLine(() => node && node.port.postMessage({ do: "end", epoch: data.stream_epoch }));
    },
    audio_stream_error(data) {
      if (!wanted.track || data.track_id !== wanted.track.id) return;
      complain(data.error);
      if (!playing.epoch) stopHere();
    },
    mastering_plan(data) {
      if (isCurrent(data.stream_epoch)) showPlan(data);
    },
    fingerprint_progress(data) {
      if (wanted.track && data.track_id === wanted.track.id) $("progress").textContent = data.message;
    },
    scan_progress: showScan,
    scan_complete(data) {
      showScan({ phase: "complete" });
      const failed = data.files_failed ? ` ${data.files_failed} could not be read.` : "";
      if (failed) complain(`${data.files_processed} files of your music were looked at.${failed}`);
    },
    library_updated: refresh,
    ping() {
      say("pong");
    },
    error(_, message) {
      complain(`The server refused that: ${message.message}.`);
      if (!playing.epoch) stopHere();
    },
  };

  function hear(message) {
    if (Object.hasOwn(words, message.type)) words[message.type](message.data, message);
  }

  function samples(buffer) {
    const of = meta;
    meta = null;
    if (!of || !isCurrent(of.stream_epoch)) return;
    const values = new Float32Array(buffer);
    inLine(() => node && node.port.postMessage({ do: "samples", epoch: of.stream_epoch, samples: values }, [values.buffer]));
  }

  // ---- what the listener does --------------------------------------------------------------------

  function play(track, from) {
    ask(track, from, false);
    setState("playing");
    inLine(() => openSound(track.sample_rate).then(() => letSound(tonearm.state === "playing")));
    const common = { track_id: track.id, start_position: from };
    if ($("enabled").checked) say("play_enhanced", { ...common, ...mastering() });
    else say("play_normal", common);
  }

  // What comes next from the server is this; what still comes of anything else is not played.
  function ask(track, from, seamless) {
    complain("");
    $("progress").textContent = "";
    Object.assign(wanted, { track, from, seamless });
    if (!seamless) {
      playing.epoch = 0;
      if (node) node.port.postMessage({ do: "stop" });
    }
    showTrack(track);
  }

  const mastering = () => ({ preset: $("preset").value, intensity: Number($("intensity").value) / 100 });

  function finished() {
    wanted.from = 0;
    if ($("onward").checked && !playing.failed) playNext();
    else stopHere();
  }

  function playNext() {
    const at = shown.findIndex((track) => track.id === wanted.track.id);
    if (at >= 0 && at + 1 < shown.length) play(shown[at + 1], 0);
    else stopHere();
  }

  function stopHere() {
    playing.epoch = 0;
    setState("idle");
  }

  const seconds = () => (playing.epoch ? playing.frame / playing.rate : wanted.from);

  function toggle() {
    if (!wanted.track) return;
    if (tonearm.state === "idle") return play(wanted.track, wanted.from);
    const pause = tonearm.state === "playing";
    say(pause ? "pause" : "resume");
    letSound(!pause);
    setState(pause ? "paused" : "playing");
  }

  function seek(position) {
    if (!wanted.track) return;
    const from = Math.min(position, Math.max(0, playing.duration - 0.5));
    if (tonearm.state === "idle") return play(wanted.track, from);
    ask(wanted.track, from, false);
    say("seek", { track_id: wanted.track.id, position: from });
  }

  // Heard at once and without a gap: the same track from where it is now.
  function changeMastering() {
    if (tonearm.state === "idle") return;
    if (!playing.epoch) return play(wanted.track, wanted.from);
    const position = seconds();
    ask(wanted.track, position, true);
    say("set_enhancement", { enabled: $("enabled").checked, position, ...mastering() });
  }

  // ---- what is shown -----------------------------------------------------------------------------

  const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

  function complain(sentence) {
    $("alert").textContent = sentence;
    $("alert").hidden = !sentence;
  }

  function setState(state) {
    tonearm.state = state;
    $("toggle").classList.toggle("playing", state === "playing");
    $("toggle").setAttribute("aria-label", state === "playing" ? "Pause" : "Play");
  }

  function showPosition() {
    const position = $("position");
    position.max = playing.duration;
    if (!position.matches(":active")) position.value = seconds();
    position.setAttribute("aria-valuetext", `${clock(seconds())} of ${clock(playing.duration)}`);
    $("elapsed").textContent = clock(seconds());
    $("total").textContent = clock(playing.duration);
  }

  function showTrack(track) {
    $("title").textContent = track.title;
    $("artist").textContent = track.artist || "";
    $("toggle").disabled = $("position").disabled = false;
    document.title = `${track.title} - Tonearm`;
    for (const button of document.querySelectorAll("#tracks button")) {
      if (Number(button.dataset.id) === track.id) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  const STATES = {
    fingerprint: "Mastered from this track's fingerprint.",
    provisional: "Mastered from a first impression.",
    standard: "Standard mastering: there is no fingerprint yet.",
    none: "The original, bit for bit.",
  };
  const POLICIES = {
    restore: "Restore: loud and compressed, so it is turned down and its attacks are re-opened.",
    preserve: "Preserve: loud and alive, so its dynamics are left alone.",
    master: "Master: quiet or moderate, so tone, dynamics and level are brought to the target.",
  };

  function showState(state) {
    $("state").textContent = STATES[state] || state;
    $("decision").dataset.state = state;
  }

  function showPlan(plan) {
    showState(plan.state);
    $("policy").textContent = plan.lwrp ? POLICIES[plan.lwrp.class] || plan.lwrp.class : "";
    $("decision").dataset.policy = plan.lwrp ? plan.lwrp.class : "";
    const parameters = Object.entries(plan.parameters || {});
    $("reason").textContent = plan.lwrp ? plan.lwrp.reason : plan.parameters?.gain_db?.reason || "";
    $("plan").hidden = !parameters.length || plan.bypass;
    $("parameters").replaceChildren(...parameters.flatMap(([name, parameter]) => describe(name, parameter)));
  }

  function describe(name, { value, unit, reason }) {
    const number = (v) => (typeof v === "number" ? v.toFixed(1) : v === true ? "yes" : v === false ? "no" : String(v));
    const text = value && typeof value === "object" ? Object.values(value).map(number).join(" / ") : number(value);
    return [
      element("dt", name.replace(/_db$/, "").replaceAll("_", " ")),
      element("dd", unit ? `${text} ${unit}` : text),
      element("dd", reason || "", "why"),
    ];
  }

  function element(name, text, kind = "") {
    const made = document.createElement(name);
    made.textContent = text;
    made.className = kind;
    return made;
  }

  // ---- the library -------------------------------------------------------------------------------

  let asked = 0;
  async function load(more) {
    const mine = ++asked;
    const query = new URLSearchParams({ limit: 200, offset: more ? shown.length : 0, search: $("search").value });
    let page;
    try {
      const answer = await fetch(`/api/library/tracks?${query}`);
      page = await answer.json();
      if (!answer.ok) return complain(page.detail || "The library cannot be read.");
    } catch {
      return complain("The library cannot be reached.");
    }
    if (mine !== asked) return;
    shown = more ? [...shown, ...page.tracks] : page.tracks;
    $("tracks").replaceChildren(...shown.map(row));
    $("count").textContent = page.total ? `${page.total}` : "";
    $("empty").hidden = shown.length > 0 || $("search").value !== "";
    $("unmatched").hidden = shown.length > 0 || $("search").value === "";
    $("more").hidden = !page.has_more;
    if (wanted.track) showTrack(wanted.track);
  }

  // The first page follows the library, unless someone has paged on; at most one request at a time is due.
  let reload = 0;
  function refresh() {
    if (reload || shown.length > 200) return;
    reload = setTimeout(() => {
      reload = 0;
      load(false);
    }, 1000);
  }

  function showScan({ phase, current = 0, total = 0 }) {
    const running = phase === "counting" || phase === "reading";
    $("scan").textContent = running ? `Reading your music: ${current}${total ? ` of ${total}` : ""} files.` : "";
    $("scan").hidden = !running;
    if (running) refresh();
  }

  // A scan may have begun before this page: how far it is now, and the socket tells the rest.
  async function askScan() {
    try {
      const scan = await (await fetch("/api/library/scan/status")).json();
      showScan(scan.state === "running" ? scan : { phase: scan.state });
    } catch {
      return; // the socket says that the server is gone
    }
  }

  function row(track) {
    const button = element("button", "");
    button.type = "button";
    button.dataset.id = track.id;
    button.append(element("span", track.title), element("span", clock(track.duration), "length dim"));
    if (track.artist) button.append(element("span", track.artist, "artist dim"));
    button.addEventListener("click", (event) => {
      // From the keyboard (no click count), the row that plays is also its own pause button.
      const again = event.detail === 0 && tonearm.state !== "idle" && wanted.track.id === track.id;
      if (again) toggle();
      else play(track, 0);
    });
    const item = document.createElement("li");
    item.append(button);
    return item;
  }

  // ---- wiring ------------------------------------------------------------------------------------

  let typing = 0;
  $("search").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(load, 200, false);
  });
  $("more").addEventListener("click", () => load(true));
  $("toggle").addEventListener("click", toggle);
  $("enabled").addEventListener("change", changeMastering);
  $("preset").addEventListener("change", changeMastering);
  $("intensity").addEventListener("change", changeMastering);
  $("intensity").addEventListener("input", () => ($("intensity-value").textContent = `${$("intensity").value} %`));
  $("onward").checked = localStorage.getItem("onward") === "yes";
  $("onward").addEventListener("change", () => localStorage.setItem("onward", $("onward").checked ? "yes" : "no"));
  $("mastering").addEventListener("submit", (event) => event.preventDefault());
  $("volume").addEventListener("input", () => tonearm.output && (tonearm.output.gain.value = gain()));
  $("position").addEventListener("change", () => seek(Number($("position").value)));
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.target.closest("button, input, select, summary")) return;
    event.preventDefault();
    toggle();
  });

  if (navigator.mediaSession) {
    navigator.mediaSession.setActionHandler("play", toggle);
    navigator.mediaSession.setActionHandler("pause", toggle);
    navigator.mediaSession.setActionHandler("nexttrack", () => wanted.track && playNext());
  }
  connect();
  load(false);
}
