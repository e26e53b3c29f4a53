// Blocking script ahead of the style sheet: sets the remembered theme, or the system's, before the first paint.
const root = document.documentElement;
root.dataset.theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
try {
  const theme = localStorage.getItem('hearth.theme');
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
} catch {
  // Storage is refused (private mode, sandboxed frame): the system's theme applies.
}
