// The frame around every page: navigation, theme, help, the page itself.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { emptyState, printUrl, type Page } from '../state/url';
import { offline, open, setTheme, state, theme } from './app';
import { Icon } from './icons';
import { MissingPage } from './pages/missing';
import { SendPage } from './pages/send';
import { ServicesPage } from './pages/services';
import { TokenPanel } from './token_panel';
import { Shortcuts } from './shortcuts';
import { ShareMenu } from './share_menu';
import { useGlobalKeys } from './keys';

// Explore carries the engine and the chart: it is a file of its own. The others are small and come with the shell.
const loadExplore = (): Promise<ComponentType> => import('./pages/explore').then((m) => m.ExplorePage);
const SMALL: Record<Exclude<Page, 'explore'>, ComponentType> = { services: ServicesPage, send: SendPage, missing: MissingPage };

const TITLES: Record<Page, string> = { services: 'Services', explore: 'Explore', send: 'Send data', missing: 'Not found' };
const NAVIGATION: Page[] = ['services', 'explore', 'send'];

/** A link to another page takes the query along: one query object everywhere. */
function linkTo(page: Page): string {
  const { s, t, f, from, to, tz } = state.value;
  const next = emptyState(page);
  return printUrl(page === 'send' ? next : { ...next, from, to, tz, ...(page === 'explore' ? { s, t, f } : { t }) });
}

const NEXT_THEME = { system: 'light', light: 'dark', dark: 'system' } as const;

function ThemeButton() {
  const next = NEXT_THEME[theme.value];
  return (
    <button class="ghost square" aria-label={`Theme: ${theme.value}. Switch to ${next}.`} title={`Theme: ${theme.value}`} onClick={() => setTheme(next)}>
      <Icon name={theme.value} />
    </button>
  );
}

/** The component of the page of the address; null while it is on its way. */
function usePage(): ComponentType | null {
  const { page } = state.value;
  const [explore, setExplore] = useState<ComponentType | null>(null);
  useEffect(() => {
    if (page === 'explore') void loadExplore().then((component) => setExplore(() => component));
  }, [page]);
  return page === 'explore' ? explore : SMALL[page];
}

function Navigation() {
  return (
    <nav aria-label="Pages">
      {NAVIGATION.map((page) => (
        <a key={page} href={linkTo(page)} aria-current={state.value.page === page ? 'page' : undefined}>
          {TITLES[page]}
        </a>
      ))}
    </nav>
  );
}

export function Shell() {
  const Content = usePage();
  const { page, s } = state.value;
  const [help, setHelp] = useState(false);
  useGlobalKeys({ help: () => setHelp(true), page: (to) => open(emptyState(to)) });
  useEffect(() => {
    document.title = `${page === 'explore' && s ? s : TITLES[page]} · hearth`;
  }, [page, s]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href="/" aria-label="hearth, services">
          <Icon name="logo" />
          hearth
        </a>
        <Navigation />
        <span class="spring" />
        <span class="top-status" role="status">
          {offline.value && <span class="chip warn">reconnecting…</span>}
        </span>
        <ShareMenu />
        <ThemeButton />
        <button class="ghost square" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" onClick={() => setHelp(true)}>
          ?
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        {Content ? <Content /> : <h1 class="hidden">{TITLES[page]}</h1>}
      </main>
      {help && <Shortcuts close={() => setHelp(false)} />}
      <TokenPanel />
    </>
  );
}
