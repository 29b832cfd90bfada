"use strict";
// Adds playing and copying to a page that is complete without it: buttons, clicks into the picture, a slider, a playhead.
(() => {
  document.documentElement.classList.add("scripted");
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy");
    if (!button) return;
    const draft = button.parentNode.querySelector("pre");
    let done = true;
    try {
      await navigator.clipboard.writeText(draft.textContent);
    } catch { // no leave to use the clipboard: the old way, which leaves the text selected
      getSelection().selectAllChildren(draft);
      done = document.execCommand("copy");
    }
    document.getElementById("copied").textContent = done ? "Copied." : "The text is selected: copy it with Ctrl+C.";
    const name = button.textContent;
    button.textContent = done ? "Copied" : "Selected: press Ctrl+C";
    setTimeout(() => (button.textContent = name), 2000);
  });

  const audio = document.getElementById("audio");
  if (!audio) return;
  const lanes = document.querySelector(".lanes");
  const seek = document.getElementById("seek");
  const length = Number(lanes.dataset.length);
  const heads = lanes.querySelectorAll(".head");
  const LEAD_S = 0.15; // word times are good to about 0.2 s: begin a little before and end a little after
  let stopAt = Infinity;
  let pressed = null;

  const release = () => {
    if (pressed) pressed.removeAttribute("aria-pressed");
    pressed = null;
    stopAt = Infinity;
  };
  const playFrom = (start, end) => {
    stopAt = end;
    audio.currentTime = Math.max(0, start);
    audio.play().catch(release);
  };
  const clock = (time) => Math.floor(time / 60) + ":" + String(Math.floor(time % 60)).padStart(2, "0");
  const place = (time) => {
    lanes.classList.add("begun");
    const x = (100 * Math.min(time / length, 1)).toFixed(2) + "%";
    for (const head of heads) {
      head.setAttribute("x1", x);
      head.setAttribute("x2", x);
    }
    seek.value = time;
    seek.setAttribute("aria-valuetext", clock(time));
  };
  let frame = 0; // one chain of frames, whoever asks to draw
  const draw = () => {
    cancelAnimationFrame(frame);
    place(audio.currentTime);
    if (audio.currentTime >= stopAt) {
      audio.pause();
      release();
    }
    frame = audio.paused ? 0 : requestAnimationFrame(draw);
  };

  document.addEventListener("play", (event) => { // one voice at a time, also among the takes
    for (const other of document.querySelectorAll("audio")) if (other !== event.target) other.pause();
  }, true);
  document.documentElement.classList.add("plays");
  audio.addEventListener("play", draw);
  audio.addEventListener("seeked", draw);
  audio.addEventListener("timeupdate", draw); // a hidden tab draws no frames, but must stop in time too
  audio.addEventListener("pause", () => {
    if (audio.paused) release(); // not where another moment has begun meanwhile
  });

  seek.addEventListener("input", () => {
    const time = Number(seek.value);
    release();
    audio.currentTime = time;
    place(time);
  });
  seek.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    if (audio.paused) playFrom(Number(seek.value), Infinity);
    else audio.pause();
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".play");
    if (button) {
      const again = pressed === button;
      audio.pause();
      release();
      if (again) return;
      pressed = button;
      button.setAttribute("aria-pressed", "true");
      playFrom(Number(button.dataset.start) - LEAD_S, Number(button.dataset.end) + LEAD_S);
      return;
    }
    const drawing = event.target.closest(".lanes svg[role=img]");
    if (drawing) {
      const box = drawing.getBoundingClientRect();
      release();
      playFrom((length * (event.clientX - box.left)) / box.width, Infinity);
    }
  });
})();
