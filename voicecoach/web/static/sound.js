// The microphone and the loudspeaker of this page, and the line to the server. See voicecoach/web/sound.py.
import { Failure, silence } from "./dom.js";
import { S } from "./strings.js";

const RESUME_MS = 5000;
const AGAIN_MS = 200;
const SHUTS_DOWN = 1012; // how a server that was stopped closes its lines
const LEFT = 4001; // how a page closes a line to which nobody comes back; see voicecoach/web/app.py

const refusal = (error) => {
  switch (error.name) {
    case "NotAllowedError":
    case "SecurityError":
      return new Failure(S.mic.denied, S.mic.deniedDo);
    case "NotFoundError":
    case "OverconstrainedError":
      return new Failure(S.mic.none, S.mic.noneDo);
    default:
      return new Failure(S.mic.used, S.mic.usedDo);
  }
};

export class Sound {
  // speakers: ask for echo cancellation. Gain control and noise suppression are always refused: they would falsify
  // what is measured. What the browser really did is in `describe`.
  static async open({ deviceId = "", speakers = false } = {}) {
    const sound = new Sound();
    await sound.start(deviceId, speakers).catch((failure) => {
      if (!deviceId || failure.what === S.mic.denied) throw failure; // nobody is asked twice
      return sound.start("", speakers); // the one of last time is not there any more
    });
    return sound;
  }

  constructor() {
    this.heard = () => {}; // (level in dBFS)
    this.frame = () => {}; // (ArrayBuffer)
    this.lost = () => {};
    this.muted = () => {}; // (true: the system has muted the microphone; false: it has not any more)
    this.asleep = () => {}; // (true: put to sleep; false: awake)
    this.level = -120;
    this.got = 0;
  }

  async start(deviceId, speakers) {
    if (!window.isSecureContext) throw new Failure(S.mic.insecure, S.mic.insecureDo);
    if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) throw new Failure(S.mic.old, S.mic.oldDo);
    this.speakers = speakers;
    await this.listen(deviceId);
    this.context = new AudioContext({ latencyHint: "interactive" });
    try {
      await this.context.audioWorklet.addModule("/static/duplex.js");
    } catch {
      this.close(); // nobody listens any more
      throw await silence(S.sorry);
    }
    this.node = new AudioWorkletNode(this.context, "voicecoach-duplex", {
      channelCount: 1,
      channelCountMode: "explicit",
      outputChannelCount: [1],
    });
    this.node.port.onmessage = ({ data }) => {
      this.level = data.level;
      this.got = data.got;
      this.heard(data.level);
      this.frame(data.frame);
    };
    this.node.connect(this.context.destination);
    this.join();
    this.context.onstatechange = () => this.asleep(this.context.state !== "running");
    // A context that needs a gesture stays suspended, and `resume` waits for that gesture: so it is not waited for.
    this.context.resume();
  }

  async listen(deviceId = "") {
    const audio = {
      channelCount: { ideal: 1 },
      echoCancellation: this.speakers,
      noiseSuppression: false,
      autoGainControl: false,
      ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
    };
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      throw refusal(error);
    }
    [this.track] = this.stream.getAudioTracks();
    this.track.onended = () => { this.deafen(true); this.lost(); };
    this.track.onmute = () => { this.deafen(true); this.muted(true); };
    this.track.onunmute = () => { this.deafen(false); this.muted(false); };
  }

  join() {
    this.source?.disconnect();
    this.source = this.context.createMediaStreamSource(this.stream);
    this.source.connect(this.node);
  }

  // After the microphone was lost: whatever the browser now has.
  async replace(deviceId = "") {
    this.hush();
    await this.listen(deviceId);
    if (this.context.state === "closed") {
      this.hush(); // the call was over meanwhile
      throw new Failure(S.sorry.odd);
    }
    this.join();
    this.deafen(false);
    return this.track.label;
  }

  get awake() {
    return this.context.state === "running";
  }

  wake() {
    return this.context.resume();
  }

  describe() {
    const settings = this.track.getSettings();
    const { echoCancellation, noiseSuppression, autoGainControl } = settings;
    return {
      rate: this.context.sampleRate,
      input: this.track.label || S.mic.unnamed,
      latency_s: (this.context.baseLatency || 0) + (this.context.outputLatency || 0) + (settings.latency || 0),
      settings: { echoCancellation, noiseSuppression, autoGainControl },
      speakers: this.speakers,
      browser: navigator.userAgent.match(/(Firefox|Edg|Chrome|Version)\/[\d.]+/)?.[0] || "",
    };
  }

  static async microphones() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter((one) => one.kind === "audioinput" && one.deviceId !== "communications");
  }

  play(first, more, samples) {
    this.node.port.postMessage({ first, more, samples }, [samples.buffer]);
  }

  halt(upto, fade) {
    this.node.port.postMessage({ halt: upto, fade_ms: fade });
  }

  pause(fade) {
    this.node.port.postMessage({ pause: fade });
  }

  goOn() {
    this.node.port.postMessage({ go_on: true });
  }

  // No microphone: the call stands still.
  deafen(on) {
    this.node?.port.postMessage({ deaf: on });
  }

  gain(db) {
    this.node.port.postMessage({ gain: 10 ** (db / 20) });
  }

  hold(on) {
    this.node.port.postMessage({ hold: on });
  }

  reset() {
    this.got = 0;
    this.node.port.postMessage({ reset: true });
  }

  hush() {
    for (const track of this.stream?.getTracks() || []) track.stop();
  }

  close() {
    this.frame = this.heard = this.lost = this.muted = this.asleep = () => {};
    this.hush();
    if (this.context?.state !== "closed") this.context?.close();
  }
}

// One call, or one reading aloud, over a WebSocket that may break for five seconds.
export class Line {
  // told(message): what the server says. away(): the connection is lost; back(): it is there again; gone(why): it is over,
  // because it never came about ("never"), the server was stopped ("stopped") or it stayed away too long ("late").
  constructor(sound, hello, { told, away = () => {}, back = () => {}, gone = () => {} }) {
    Object.assign(this, { sound, hello, told, away, back, gone });
    this.call = hello.t === "resume" ? hello.call : null;
    this.over = false;
    this.open = false;
    this.known = false; // the server has this page's clock
    this.kept = [];
    this.unsaid = [];
    if (!this.call) sound.reset();
    sound.frame = (frame) => this.frame(frame);
    this.connect();
  }

  connect() {
    const hello = this.known ? { t: "resume", call: this.call, have: this.sound.got } : this.hello;
    this.socket = new WebSocket(`ws://${location.host}/call`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.socket.send(JSON.stringify({ ...this.sound.describe(), ...hello }));
    this.socket.onmessage = ({ data }) => this.take(data);
    this.socket.onclose = ({ code }) => this.closed(code);
  }

  take(data) {
    if (typeof data !== "string") {
      const view = new DataView(data);
      this.sound.play(view.getUint32(0, true), view.getUint32(4, true) === 1, new Int16Array(data, 8).slice());
      return;
    }
    const message = JSON.parse(data);
    switch (message.t) {
      case "ready":
        this.call = message.call;
        this.open = this.known = true;
        this.flush();
        break;
      case "resumed":
        this.open = true;
        if (this.since) {
          if (this.known) for (const frame of this.kept) this.socket.send(frame);
          this.back();
        }
        this.known = true;
        this.since = 0;
        this.kept = [];
        this.flush();
        if (this.left) this.hangUp(LEFT);
        break;
      case "halt":
        this.sound.halt(message.upto, message.fade_ms);
        return;
      case "pause":
        this.sound.pause(message.fade_ms);
        return;
      case "go_on":
        this.sound.goOn();
        return;
      case "gain":
        this.sound.gain(message.db);
        return;
      case "bye":
      case "moved":
      case "refused":
        this.over = true;
        break;
      default:
    }
    this.told(message);
  }

  closed(code) {
    this.open = false;
    if (this.over) return;
    const now = performance.now();
    if (!this.since && this.call) {
      this.since = now;
      this.away();
    }
    if (!this.call || code === SHUTS_DOWN || now - this.since > RESUME_MS) {
      this.over = true;
      this.gone(!this.call ? "never" : code === SHUTS_DOWN ? "stopped" : "late");
      return;
    }
    setTimeout(() => !this.over && this.connect(), AGAIN_MS);
  }

  get there() {
    return this.open && this.socket.readyState === WebSocket.OPEN;
  }

  frame(frame) {
    if (this.there) this.socket.send(frame);
    else if (this.since) this.kept.push(frame);
  }

  say(message) {
    if (this.there) this.socket.send(JSON.stringify(message));
    else if (!this.over) this.unsaid.push(message); // until the line is there, or is there again
  }

  flush() {
    for (const said of this.unsaid.splice(0)) this.say(said);
  }

  hangUp(code) {
    this.over = true;
    this.socket.close(code);
  }

  // Nobody comes back. On a line that is broken just now the server hears of it, and of what is unsaid, once it is there
  // again; a call that this page was not in yet is none of its own.
  drop() {
    this.left = true;
    this.told = this.away = this.back = this.gone = () => {};
    this.sound.frame = () => {};
    if (this.over || this.there || !this.known) this.hangUp(this.call && !this.known ? 1000 : LEFT);
  }
}
