// The callback of the browser's sound: plays what is queued, counts, and hands on both channels. See wire.py.
const BLOCK_S = 0.02;
const AHEAD_S = 0.06; // held back before a line begins, so that a late message is not heard
const GLIDE = 0.002; // of the way to another volume, each sample: about 10 ms
const SLEPT_MS = 1000; // between two calls: the sound or the machine was asleep
const MOST_S = 3600; // of sleep that is counted; far less ends the call

class Duplex extends AudioWorkletProcessor {
  constructor() {
    super();
    const quanta = Math.ceil((sampleRate * BLOCK_S) / 128);
    this.size = quanta * 128;
    this.mic = new Int16Array(this.size);
    this.out = new Int16Array(this.size);
    this.filled = 0;
    this.first = 0;
    this.from = this.size;
    this.to = 0;
    this.queue = []; // Int16Array pieces of the customer, in order
    this.at = 0; // in the first piece
    this.got = 0;
    this.more = false;
    this.done = 0;
    this.dry = 0;
    this.running = false;
    this.waited = 0;
    this.fade = null; // {left, of, upto}: fading out to forget
    this.still = null; // {left, of, ahead}: fading out to stand still, and go on from here
    this.gain = 1;
    this.wanted = 1;
    this.held = false;
    this.deaf = false; // there is no microphone: nothing is played either, and the call stands still
    this.hum = 0;
    this.skipped = 0; // samples for which the audio clock stood still
    this.seen = 0;
    this.frame = 0;
    this.port.onmessage = ({ data }) => this.told(data);
  }

  told(data) {
    if (data.samples) {
      const late = this.got - data.first;
      const fresh = late > 0 ? data.samples.subarray(late) : data.samples;
      if (fresh.length) {
        this.queue.push(fresh);
        this.got = data.first + data.samples.length;
        this.more = data.more;
      }
    } else if (data.halt !== undefined) {
      const of = Math.round((sampleRate * data.fade_ms) / 1000);
      this.fade = { left: of, of, upto: data.halt };
    } else if (data.pause !== undefined) {
      const of = Math.round((sampleRate * data.pause) / 1000);
      this.still = this.still || { left: of, of, ahead: 0 };
    } else if (data.go_on) {
      this.still = null;
      this.wanted = 1;
    } else if (data.gain !== undefined) {
      this.wanted = data.gain;
    } else if (data.reset) {
      this.queue = [];
      this.at = this.got = this.done = this.dry = this.waited = 0;
      this.running = this.more = this.held = false;
      this.fade = this.still = null;
      this.gain = this.wanted = 1;
    } else if (data.hold !== undefined) {
      this.held = data.hold;
    } else if (data.deaf !== undefined) {
      this.deaf = data.deaf;
    }
  }

  // One sample of the customer, or null where there is none to play.
  next() {
    const piece = this.queue[0];
    if (!piece || !this.running || this.deaf) return null;
    this.gain += (this.wanted - this.gain) * GLIDE;
    if (this.still) return this.standing();
    let value = piece[this.at++] * this.gain;
    this.done += 1;
    if (this.at === piece.length) {
      this.queue.shift();
      this.at = 0;
    }
    if (this.fade) {
      value *= this.fade.left / this.fade.of;
      this.fade.left -= 1;
    }
    return value;
  }

  // What fades out before the line stands still: it is heard, but it does not count as played.
  standing() {
    if (this.still.left <= 0) return null;
    let spot = this.at + this.still.ahead;
    const piece = this.queue.find((one) => spot < one.length || ((spot -= one.length), false));
    this.still.ahead += 1;
    this.still.left -= 1;
    return piece ? (piece[spot] * this.gain * this.still.left) / this.still.of : null;
  }

  // The audio clock stands still while the sound or the machine sleeps; the time of day does not.
  watch() {
    const now = Date.now();
    const slept_ms = this.seen ? now - this.seen : 0;
    if (slept_ms > SLEPT_MS) {
      const due = Math.min(slept_ms / 1000, MOST_S) * sampleRate;
      this.skipped += Math.max(0, Math.round(due) - (currentFrame - this.frame));
    }
    this.seen = now;
    this.frame = currentFrame;
  }

  process(inputs, outputs) {
    const mic = inputs[0][0];
    const out = outputs[0];
    const n = out[0].length;
    this.watch();
    const frame = currentFrame + this.skipped;
    if (this.filled && frame !== this.first + this.filled) this.send();
    if (!this.filled) this.first = frame;
    const waiting = this.queue.reduce((sum, piece) => sum + piece.length, -this.at);
    if (!this.running && waiting > 0) {
      this.waited += n;
      this.running = waiting >= AHEAD_S * sampleRate || this.waited >= AHEAD_S * sampleRate;
    }
    for (let i = 0; i < n; i += 1) {
      if (this.fade && (this.fade.left <= 0 || this.still || this.deaf || !this.queue.length)) this.forget();
      const value = this.next();
      const spot = this.filled + i;
      if (value === null) {
        if (this.running && !this.queue.length) {
          this.running = false;
          this.waited = 0;
          if (this.more) this.dry += 1;
        }
        this.out[spot] = 0;
      } else {
        this.out[spot] = value;
        this.from = Math.min(this.from, spot);
        this.to = spot + 1;
      }
      for (const channel of out) channel[i] = this.out[spot] / 32768;
      // On hold the customer hears nothing; a microphone never delivers exact zeros, so one bit of a low hum stays.
      this.hum = (this.hum + 1) % 64;
      const heard = mic && !this.held ? mic[i] : (this.hum < 32 ? 1 : -1) / 32768;
      this.mic[spot] = this.deaf ? 0 : Math.max(-32768, Math.min(32767, Math.round(heard * 32768)));
    }
    this.filled += n;
    if (this.filled >= this.size) this.send();
    return true;
  }

  forget() {
    this.queue = [];
    this.at = 0;
    this.done = Math.max(this.done, this.fade.upto);
    this.got = Math.max(this.got, this.fade.upto);
    this.running = false;
    this.waited = 0;
    this.fade = this.still = null;
    this.gain = this.wanted = 1;
  }

  send() {
    const n = this.filled;
    const spoke = this.to > 0;
    const buffer = new ArrayBuffer(20 + 2 * n * (spoke ? 2 : 1));
    const view = new DataView(buffer);
    view.setUint32(0, this.first, true);
    view.setUint32(4, this.done, true);
    view.setUint16(8, n, true);
    view.setUint16(10, spoke ? this.from : 0, true);
    view.setUint16(12, this.to, true);
    view.setUint16(14, this.dry & 0xffff, true);
    view.setUint8(16, (spoke ? 1 : 0) + (this.deaf ? 2 : 0));
    new Int16Array(buffer, 20, n).set(this.mic.subarray(0, n));
    if (spoke) new Int16Array(buffer, 20 + 2 * n, n).set(this.out.subarray(0, n));
    let power = 0;
    for (let i = 0; i < n; i += 1) power += this.mic[i] * this.mic[i];
    const level = 10 * Math.log10(power / n / 32768 ** 2 + 1e-12);
    this.port.postMessage({ frame: buffer, level, got: this.got }, [buffer]);
    this.filled = 0;
    this.from = this.size;
    this.to = 0;
  }
}

registerProcessor("voicecoach-duplex", Duplex);
