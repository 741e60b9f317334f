// Runs before the first paint, so that a chosen dark theme never flashes white. A file of its own because the
// Content-Security-Policy forbids inline scripts.
try {
  const theme = localStorage.getItem("slowburn.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is blocked: the theme follows the system.
}
