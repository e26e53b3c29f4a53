// Blocking script ahead of the style sheet: sets the remembered theme before the first paint.
try {
  const theme = localStorage.getItem('hearth.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is refused (private mode, sandboxed frame): the system's theme applies.
}
