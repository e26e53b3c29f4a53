// Share: the address with this moment, or with the relative range kept.
import { useState } from 'preact/hooks';
import { isRelative, isoTime } from '../state/time';
import { printUrl } from '../state/url';
import { span, state } from './app';
import { CopyButton } from './copy_button';
import { Icon } from './icons';
import { Popover } from './popover';

export function ShareMenu() {
  const [open, setOpen] = useState(false);
  if (state.value.page === 'missing' || state.value.page === 'send') return null;
  const here = location.origin + printUrl(state.value);
  const moment = { ...state.value, from: isoTime(span.value.from), to: isoTime(span.value.to) };
  return (
    <div class="anchor">
      <button class="ghost" aria-haspopup="dialog" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="share" />
        <span class="wide-only">Share</span>
      </button>
      {open && (
        <Popover label="Share this view" close={() => setOpen(false)} align="right" wide>
          <h2>Share this view</h2>
          <div class="share-row">
            <div>
              <strong>This moment</strong>
              <p>Absolute times: everyone sees what you see now.</p>
            </div>
            <CopyButton text={location.origin + printUrl(moment)} label="Copy link with this moment" class="primary" />
          </div>
          {isRelative(state.value) && (
            <div class="share-row">
              <div>
                <strong>Keep it relative</strong>
                <p>The range moves along: {state.value.from} to {state.value.to}.</p>
              </div>
              <CopyButton text={here} label="Copy link with the relative range" class="control" />
            </div>
          )}
        </Popover>
      )}
    </div>
  );
}
