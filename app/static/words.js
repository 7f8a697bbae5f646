// Sizes and times in the same words as the pages that the server writes.
export function megabytes(size) {
  let value = size;
  for (const unit of ["bytes", "KB", "MB"]) {
    if (Math.round(value) < 1000) return `${value.toFixed(0)} ${unit}`;
    value /= 1000;
  }
  return `${value.toFixed(1)} GB`;
}

export function timeLeft(seconds) {
  if (seconds < 60) return "Less than a minute left";
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `About ${minutes} ${minutes === 1 ? "minute" : "minutes"} left`;
  const hours = Math.round(minutes / 60);
  return `About ${hours} ${hours === 1 ? "hour" : "hours"} left`;
}

const DAY = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/London", day: "numeric", month: "long" });
const TIME = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/London", hour: "numeric", minute: "2-digit", hour12: true });

export function moment(at) {
  return `${DAY.format(at)} at ${TIME.format(at).replace(/\s/g, "")}`;
}
