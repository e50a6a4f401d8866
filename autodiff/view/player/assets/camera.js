// Pan and zoom.

const canvas = document.getElementById("canvas");
canvas.append(drawn("defs", {}, tip), world);
const camera = { x: 0, y: 0, scale: 1, isDragging: false };
const view = { width: 1, height: 1 }; // of the canvas
const ZOOM = { least: 0.02, most: 3, readable: 0.55, reading: 0.85 };

/** Give the canvas a size in pixels. Otherwise Chromium lays out every text of the picture again
 * whenever something beside it changes. */
function measureView() {
  const { width, height } = canvas.parentNode.getBoundingClientRect();
  Object.assign(view, { width, height });
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
}

function aim(isSmooth) {
  canvas.classList.toggle("smooth", Boolean(isSmooth));
  world.style.transform = `translate(${camera.x}px, ${camera.y}px) scale(${camera.scale})`;
}

/** Show the whole picture, enlarged little if at all. */
function fit(picture) {
  const { width, height } = view;
  camera.scale = Math.max(
    ZOOM.least,
    Math.min(1.15, (width - 56) / picture.width, (height - 96) / picture.height),
  );
  camera.x = (width - picture.width * camera.scale) / 2;
  camera.y = (height - 40 - picture.height * camera.scale) / 2;
  aim(false);
}

/** Show the left end of the picture at `scale`, at which its text can be read. */
function showLeftEnd(picture, scale) {
  const { width, height } = view;
  camera.scale = scale;
  camera.x = Math.max(24, (width - picture.width * scale) / 2);
  camera.y = (height - 40 - picture.height * scale) / 2;
  aim(false);
}

function zoom(factor, x, y) {
  const { width, height } = view;
  const [cx, cy] = [x ?? width / 2, y ?? height / 2];
  const scale = Math.max(ZOOM.least, Math.min(ZOOM.most, camera.scale * factor));
  camera.x = cx - ((cx - camera.x) * scale) / camera.scale;
  camera.y = cy - ((cy - camera.y) * scale) / camera.scale;
  camera.scale = scale;
  aim(false);
}

function pan(dx, dy) {
  camera.x += dx;
  camera.y += dy;
  aim(false);
}

/** Bring `items` into view if they are outside; if not all fit, the last one. */
function follow(items) {
  const { width, height } = view;
  const seen = ({ x, y, width: w, height: h }) => {
    const [left, top] = [x * camera.scale + camera.x, y * camera.scale + camera.y];
    return (
      left >= 12 &&
      top >= 12 &&
      left + w * camera.scale <= width - 12 &&
      top + h * camera.scale <= height - 56
    );
  };
  if (!items.length || items.every(seen)) return;
  const whole = (list) => {
    const left = Math.min(...list.map((a) => a.x)),
      right = Math.max(...list.map((a) => a.x + a.width));
    const top = Math.min(...list.map((a) => a.y)),
      bottom = Math.max(...list.map((a) => a.y + a.height));
    return { left, right, top, bottom };
  };
  let bounds = whole(items);
  const isTooLarge =
    (bounds.right - bounds.left) * camera.scale > width - 24 ||
    (bounds.bottom - bounds.top) * camera.scale > height - 68;
  if (isTooLarge) bounds = whole(items.slice(-1));
  camera.x = width / 2 - ((bounds.left + bounds.right) / 2) * camera.scale;
  camera.y = (height - 40) / 2 - ((bounds.top + bounds.bottom) / 2) * camera.scale;
  aim(true);
}

canvas.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    const { left, top } = canvas.getBoundingClientRect();
    zoom(
      Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)),
      event.clientX - left,
      event.clientY - top,
    );
  },
  { passive: false },
);

const pointers = new Map();
canvas.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  pointers.set(event.pointerId, event);
  camera.isDragging = false;
});
canvas.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
  if (!camera.isDragging && Math.hypot(dx, dy) < 4) return;
  if (!camera.isDragging) canvas.setPointerCapture(event.pointerId);
  camera.isDragging = true;
  const other = [...pointers.values()].find((pointer) => pointer.pointerId !== event.pointerId);
  if (other) {
    // two fingers: their distance is the scale
    const reach = (pointer) =>
      Math.hypot(pointer.clientX - other.clientX, pointer.clientY - other.clientY);
    const { left, top } = canvas.getBoundingClientRect();
    zoom(reach(event) / Math.max(1, reach(before)), other.clientX - left, other.clientY - top);
  } else {
    pan(dx, dy);
  }
  pointers.set(event.pointerId, event);
});
for (const kind of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(kind, (event) => pointers.delete(event.pointerId));
}
