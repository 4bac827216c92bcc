/** The dialogs for sessions: disconnect, log level, capture. Each says what will happen before it happens. */
import { useState } from 'preact/hooks';
import { apiPath } from '../api.js';
import { useApplication } from '../app.js';
import type { Ended, SessionRow } from '../../api/schemas.js';
import { Name, nameOf } from './cells.js';
import { Dialog, FormDialog } from './dialog.js';
import { textIn } from './form-text.js';

export function KickDialog({ row, onClose }: { row: SessionRow; onClose: () => void }) {
  const { api, say } = useApplication();
  return (
    <FormDialog
      title={
        <>
          Disconnect <Name of={row.user} />?
        </>
      }
      action="Disconnect"
      isDangerous
      onClose={onClose}
      onSubmit={async (form) => {
        const reason = textIn(form, 'reason').trim();
        const { failed } = await api.change<Ended>('POST', `/sessions/${row.id}/kick`, reason === '' ? {} : { reason });
        if (failed[0] !== undefined) throw new Error(failed[0].why);
        say(`${nameOf(row.user)} was disconnected.`);
      }}
    >
      <p>
        The session of{' '}
        <b>
          <Name of={row.user} />
        </b>{' '}
        from {row.client}
        {row.address === null ? '' : <> with the address {row.address}</>} ends at once, and its connections break.
      </p>
      <label>
        Reason <small class="muted">for log and history</small>
        <input name="reason" maxLength={200} autocomplete="off" placeholder="optional" />
      </label>
      <p class="muted hint">
        The client may call again. To keep it out, disable the user, or block its address in your firewall.
      </p>
    </FormDialog>
  );
}

export function DebugDialog({ row, onClose }: { row: SessionRow; onClose: () => void }) {
  const { api, say } = useApplication();
  return (
    <FormDialog
      title="Log more of this session"
      action="Change the log"
      onClose={onClose}
      onSubmit={async (form) => {
        const minutes = textIn(form, 'minutes');
        await api.change('POST', `/sessions/${row.id}/debug`, { minutes: minutes === 'off' ? 'off' : Number(minutes) });
        say(minutes === 'off' ? 'The log has its usual level again.' : `Level debug for ${minutes} minutes.`);
      }}
    >
      <p>
        The session’s log gets every control message and every step of the negotiation. Other sessions are not affected.
      </p>
      <label>
        How long
        <select name="minutes">
          <option value="10">10 minutes</option>
          <option value="60">1 hour</option>
          <option value="480">8 hours</option>
          <option value="off">Off: the usual level</option>
        </select>
      </label>
    </FormDialog>
  );
}

/** `row`: of this session; null: of the next login from an address. */
export function CaptureDialog({ row, onClose }: { row: SessionRow | null; onClose: () => void }) {
  const [seconds, setSeconds] = useState('30');
  const [client, setClient] = useState('');
  const path =
    row === null ? apiPath('/capture', { next: client, seconds }) : apiPath(`/sessions/${row.id}/capture`, { seconds });
  const isReady = row !== null || /^\d{1,3}(\.\d{1,3}){3}$/.test(client);
  return (
    <Dialog title={row === null ? 'Capture the next login' : 'Capture packets'} onClose={onClose}>
      <p>
        {row === null
          ? 'Records the control messages and PPP frames of the next client that connects from this address, from its first byte.'
          : 'Records the control messages and PPP frames of this session.'}{' '}
        The file (pcapng) opens in Wireshark. It contains what the user sends and receives.
      </p>
      {row === null ? (
        <label>
          Address of the client
          <input
            value={client}
            onInput={({ currentTarget }) => setClient(currentTarget.value.trim())}
            placeholder="192.0.2.7"
            inputMode="decimal"
          />
        </label>
      ) : null}
      <label>
        How long
        <select value={seconds} onChange={({ currentTarget }) => setSeconds(currentTarget.value)}>
          <option value="10">10 seconds</option>
          <option value="30">30 seconds</option>
          <option value="120">2 minutes</option>
          <option value="600">10 minutes</option>
        </select>
      </label>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
        {isReady ? (
          <a class="button primary" href={path} download onClick={() => setTimeout(onClose, 200)}>
            Start the download
          </a>
        ) : (
          <button type="button" class="button primary" disabled>
            Start the download
          </button>
        )}
      </div>
    </Dialog>
  );
}
