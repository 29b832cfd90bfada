"use strict";
// Adds playing to a page that is complete without it: buttons, clicks into the picture, and a playhead.
(() => {
  const audio = document.getElementById("audio");
  const lanes = document.querySelector(".lanes");
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
  const draw = () => {
    lanes.classList.add("begun");
    const place = (100 * Math.min(audio.currentTime / length, 1)).toFixed(2) + "%";
    for (const head of heads) {
      head.setAttribute("x1", place);
      head.setAttribute("x2", place);
    }
    if (audio.currentTime >= stopAt) {
      audio.pause();
      release();
    }
    if (!audio.paused) requestAnimationFrame(draw);
  };

  document.addEventListener("play", (event) => { // one voice at a time, also among the takes
    for (const other of document.querySelectorAll("audio")) if (other !== event.target) other.pause();
  }, true);
  document.documentElement.classList.add("plays");
  audio.addEventListener("play", () => requestAnimationFrame(draw));
  audio.addEventListener("seeked", draw);
  audio.addEventListener("timeupdate", draw); // a hidden tab draws no frames, but must stop in time too
  audio.addEventListener("pause", () => {
    if (audio.paused) release(); // not where another moment has begun meanwhile
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
