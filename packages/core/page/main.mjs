/** The page: draw with mouse, pen, finger or keys; every change is recognized at once. */
import { prepare } from './drawing.mjs';
import { computeLogits, softmax } from './network.mjs';

const byId = (id) => document.getElementById(id);
const model = JSON.parse(byId('model').textContent);
const weights = decodeWeights(byId('weights').textContent);

/** Side of the drawing in its own pixels, whatever its size on the screen. */
const SIDE = 280;
const PEN = SIDE / 13;
/** Pixels that an arrow key moves the pen by. */
const STEP = 8;
/** Classes shown; of more, the likeliest. */
const MOST_ROWS = 10;

const canvas = byId('drawing');
const context = canvas.getContext('2d', { willReadFrequently: true });
const cursor = { x: SIDE / 2, y: SIDE / 2, isDown: false, isShown: false };
let isEmpty = true;

/** Base64 to float32, little-endian. */
function decodeWeights(base64) {
  const bytes = Uint8Array.from(atob(base64.trim()), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(4 * index, true));
}

// ---- drawing ----

/** Ink is opaque, paper transparent: the colour on the screen is the theme's and does not matter to the network. */
function drawLine(from, to) {
  context.lineWidth = PEN;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  context.strokeStyle = getComputedStyle(canvas).color;
  context.beginPath();
  context.moveTo(from.x, from.y);
  // A line without length draws no dot in every browser.
  context.lineTo(to.x + 0.01, to.y);
  context.stroke();
  isEmpty = false;
  requestRecognition();
}

function clear() {
  context.clearRect(0, 0, SIDE, SIDE);
  isEmpty = true;
  cursor.isDown = false;
  requestRecognition();
}

function placeOf(event) {
  const box = canvas.getBoundingClientRect();
  return { x: ((event.clientX - box.left) / box.width) * SIDE, y: ((event.clientY - box.top) / box.height) * SIDE };
}

function watchPointer() {
  let last;
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    last = placeOf(event);
    isDrawing = true;
    drawLine(last, last);
    event.preventDefault();
    canvas.focus({ preventScroll: true });
  });
  canvas.addEventListener('pointermove', (event) => {
    if (last === undefined) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const move of moves.length > 0 ? moves : [event]) {
      const place = placeOf(move);
      drawLine(last, place);
      last = place;
    }
  });
  for (const name of ['pointerup', 'pointercancel']) {
    canvas.addEventListener(name, () => {
      last = undefined;
      isDrawing = false;
      requestRecognition();
    });
  }
}

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function watchKeys() {
  canvas.addEventListener('keydown', (event) => {
    const move = MOVES[event.key];
    if (move !== undefined) moveCursor(move, event.shiftKey ? 1 : STEP);
    else if (event.key === ' ' || event.key === 'Enter') togglePen();
    else if (event.key === 'Escape' || event.key === 'Delete' || event.key === 'Backspace') clear();
    else return;
    event.preventDefault();
  });
  canvas.addEventListener('blur', () => showCursor(false));
  byId('clear').addEventListener('click', clear);
}

function moveCursor([dx, dy], step) {
  const from = { x: cursor.x, y: cursor.y };
  cursor.x = Math.min(SIDE, Math.max(0, cursor.x + dx * step));
  cursor.y = Math.min(SIDE, Math.max(0, cursor.y + dy * step));
  if (cursor.isDown) drawLine(from, cursor);
  showCursor(true);
}

function togglePen() {
  cursor.isDown = !cursor.isDown;
  if (cursor.isDown) drawLine(cursor, cursor);
  showCursor(true);
}

function showCursor(isShown) {
  const mark = byId('cursor');
  mark.hidden = !isShown;
  mark.style.left = `${(100 * cursor.x) / SIDE}%`;
  mark.style.top = `${(100 * cursor.y) / SIDE}%`;
  mark.classList.toggle('down', cursor.isDown);
}

// ---- recognition ----

/** A network that takes longer than this would make the pen stutter: it waits for the end of the stroke. */
const FAST_MS = 50;
let isRequested = false;
let isDrawing = false;
let tookMs = 0;

/** At most once per frame, however many points a stroke has. */
function requestRecognition() {
  if (isRequested || (isDrawing && tookMs > FAST_MS)) return;
  isRequested = true;
  requestAnimationFrame(() => {
    isRequested = false;
    const start = performance.now();
    recognize();
    tookMs = performance.now() - start;
  });
}

function recognize() {
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  const ink = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i + 3]);
  const { height, width } = model.input;
  const prepared = prepare({ height: SIDE, width: SIDE, pixels: ink }, { height, width, ink: model.ink });
  const pixels = model.isLight ? prepared.map((value) => 255 - value) : prepared;
  showSeen(pixels, height, width);
  if (isEmpty) showNothing();
  else showResult(softmax(computeLogits(model, weights, pixels)));
}

/** The image as the network gets it. */
function showSeen(pixels, height, width) {
  const seen = byId('seen');
  seen.width = width;
  seen.height = height;
  const image = new ImageData(width, height);
  pixels.forEach((value, i) => {
    image.data.set([value, value, value, 255], 4 * i);
  });
  seen.getContext('2d').putImageData(image, 0, 0);
}

function showNothing() {
  byId('answer').textContent = '–';
  byId('sureness').textContent = 'Nothing is drawn yet';
  byId('classes').replaceChildren();
}

function showResult(probabilities) {
  const entries = probabilities.map((probability, index) => ({ name: model.classNames[index], probability }));
  const sorted = [...entries].sort((a, b) => b.probability - a.probability);
  const best = sorted[0];
  byId('answer').textContent = best.name;
  byId('answer').className = best.name.length > 3 ? 'long' : '';
  byId('sureness').textContent = `${(100 * best.probability).toFixed(1)}% sure`;
  const shown = entries.length <= MOST_ROWS ? entries : sorted.slice(0, MOST_ROWS);
  byId('classes').replaceChildren(...shown.map((entry) => makeRow(entry, entry === best)));
}

function makeRow({ name, probability }, isBest) {
  const row = document.createElement('li');
  row.className = isBest ? 'best' : '';
  const percent = `${(100 * probability).toFixed(1)}%`;
  for (const [className, text] of [
    ['name', name],
    ['bar', ''],
    ['percent', percent],
  ]) {
    const cell = document.createElement('span');
    cell.className = className;
    cell.textContent = text;
    row.append(cell);
  }
  row.querySelector('.bar').style.setProperty('--share', percent);
  return row;
}

canvas.width = SIDE;
canvas.height = SIDE;
watchPointer();
watchKeys();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', clear);
recognize();

/** For programs: probabilities of an image of the network's form, 0 to 255, [channels][height][width]. */
globalThis.lockstep = { model, predict: (pixels) => softmax(computeLogits(model, weights, pixels)) };
