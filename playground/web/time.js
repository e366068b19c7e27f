// Times in words. Relative ones are kept up to date while they are on the page.

const DATE = (options) => new Intl.DateTimeFormat(undefined, options);

const STYLES = {
  t: DATE({ timeStyle: "short" }),
  T: DATE({ timeStyle: "medium" }),
  d: DATE({ dateStyle: "short" }),
  D: DATE({ dateStyle: "long" }),
  f: DATE({ dateStyle: "long", timeStyle: "short" }),
  F: DATE({ dateStyle: "full", timeStyle: "short" }),
};

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS = [
  ["year", 31557600],
  ["month", 2629800],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

export function formatTimestamp(seconds, style) {
  if (style !== "R") return STYLES[style].format(new Date(seconds * 1000));
  const away = seconds - Date.now() / 1000;
  const [unit, length] = UNITS.find(([, size]) => Math.abs(away) >= size) ?? UNITS.at(-1);
  return RELATIVE.format(Math.round(away / length), unit);
}

/** Keep the relative times on the page right. */
export function keepTimesFresh() {
  setInterval(() => {
    for (const time of document.querySelectorAll('time.timestamp[data-style="R"]')) {
      const words = formatTimestamp(Number(time.dataset.seconds), "R");
      if (time.textContent !== words) time.textContent = words;
    }
  }, 1000);
}

export function clockTime(date) {
  return STYLES.t.format(date);
}

/** "Today at 14:05", and the date for other days. */
export function when(date) {
  const day = dayName(date);
  return day === "Today" || day === "Yesterday" ? `${day} at ${clockTime(date)}` : `${STYLES.d.format(date)} ${clockTime(date)}`;
}

export function dayName(date) {
  const days = Math.round((startOfDay(new Date()) - startOfDay(date)) / 86400000);
  if (days === 0) return "Today";
  return days === 1 ? "Yesterday" : STYLES.D.format(date);
}

function startOfDay(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
