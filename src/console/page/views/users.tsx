/** Who may log in: add, change, disable, remove. */
import { useState } from 'preact/hooks';
import { useApplication, useLive, useLoaded, useNow } from '../app.js';
import type { User, Users as Answer } from '../model/api-types.js';
import { bitRate, count, counted, duration, inWords, moment, octets } from '../model/format.js';
import { Meter, orNone } from '../parts/cells.js';
import { FormDialog } from '../parts/dialog.js';
import { Icon } from '../parts/icons.js';
import { Empty, Shown } from '../parts/notice.js';
import { UserForm } from '../parts/user-form.js';

type Open =
  | { readonly deed: 'add' }
  | { readonly deed: 'edit' | 'password' | 'disable' | 'enable' | 'remove'; readonly user: User };

export function Users() {
  const { api, me } = useApplication();
  const live = useLive();
  const [search, setSearch] = useState('');
  const [open, setOpen] = useState<Open | null>(null);
  const [loaded, again] = useLoaded(async (signal) => api.get<Answer>('/users', {}, signal), [api, live.usersVersion]);
  const close = (): void => setOpen(null);
  const done = (): void => {
    setOpen(null);
    again();
  };
  return (
    <>
      <header class="head">
        <h1>Users</h1>
        <div class="tools">
          <label class="search">
            <span class="hidden">Search name, address or note</span>
            <Icon name="search" />
            <input
              type="search"
              placeholder="Name, address or note"
              value={search}
              onInput={({ currentTarget }) => setSearch(currentTarget.value)}
            />
          </label>
          {me.role === 'admin' ? (
            <button type="button" class="button primary" onClick={() => setOpen({ deed: 'add' })}>
              <Icon name="plus" /> Add a user
            </button>
          ) : null}
        </div>
      </header>
      <Shown of={loaded} again={again}>
        {({ users, file, keeps }) => (
          <>
            <p class="muted count" role="status">
              {counted(users.length, 'user')} in <code>{file}</code>
            </p>
            <List
              users={users.filter(({ name, address, note }) =>
                [name, address, note].join(' ').toLowerCase().includes(search.trim().toLowerCase()),
              )}
              isEmpty={users.length === 0}
              onOpen={setOpen}
            />
            {open?.deed === 'add' ? <UserForm keeps={keeps} onClose={close} onDone={done} /> : null}
            {open?.deed === 'edit' ? <UserForm user={open.user} keeps={keeps} onClose={close} onDone={done} /> : null}
          </>
        )}
      </Shown>
      {open?.deed === 'password' ? <PasswordDialog user={open.user} onClose={close} onDone={done} /> : null}
      {open?.deed === 'disable' || open?.deed === 'enable' ? (
        <DisableDialog user={open.user} disables={open.deed === 'disable'} onClose={close} onDone={done} />
      ) : null}
      {open?.deed === 'remove' ? <RemoveDialog user={open.user} onClose={close} onDone={done} /> : null}
    </>
  );
}

function List({ users, isEmpty, onOpen }: { users: readonly User[]; isEmpty: boolean; onOpen: (open: Open) => void }) {
  const { me, live } = useApplication();
  const now = useNow(60);
  if (isEmpty) {
    return (
      <div class="card">
        <Empty icon="users" title="There are no users yet">
          {me.role === 'admin' ? 'Add the first one: it can log in at once.' : 'An administrator can add the first one.'}
        </Empty>
      </div>
    );
  }
  if (users.length === 0) {
    return (
      <div class="card">
        <Empty icon="search" title="No user matches" />
      </div>
    );
  }
  const online = new Map<string, number>();
  for (const { user } of live.rows.values()) if (user !== null) online.set(user, (online.get(user) ?? 0) + 1);
  return (
    <table class="users" role="table" aria-label="Users">
      <thead role="rowgroup">
        <tr role="row">
          {['User', 'State', 'Address', 'Expires', 'Speed', 'Quota', 'Note'].map((name) => (
            <th key={name} role="columnheader" scope="col">
              {name}
            </th>
          ))}
          <th role="columnheader" scope="col" class="deed">
            <span class="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {users.map((user) => (
          <tr key={`${user.file} ${user.name}`} role="row">
            <th role="rowheader" scope="row" class="user">
              <span class="cut">{user.name}</span>
            </th>
            <td role="cell" class="state">
              <UserState user={user} sessions={online.get(user.name) ?? 0} />
            </td>
            <td role="cell" class="address">
              {orNone(user.address, 'any address')}
            </td>
            <td role="cell" class="expires">
              {orNone(expiryOf(user, now), 'never')}
            </td>
            <td role="cell" class="speed">
              {orNone(speedOf(user), 'no limit')}
            </td>
            <td role="cell" class="quota">
              {user.quota === null ? (
                orNone(null, 'no quota')
              ) : (
                <>
                  <span>
                    {octets(user.quota.used)} of {octets(user.quota.octets)}
                    <small class="muted"> {user.quota.per === 'total' ? 'in total' : `a ${user.quota.per}`}</small>
                  </span>
                  <Meter share={user.quota.used / user.quota.octets} />
                </>
              )}
            </td>
            <td role="cell" class="note">
              <span class="cut">{orNone(user.note)}</span>
            </td>
            <td role="cell" class="deed">
              {me.role === 'admin' ? <Deeds user={user} onOpen={onOpen} /> : null}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function UserState({ user, sessions }: { user: User; sessions: number }) {
  if (user.hindrance !== null) return <span class="pill bad">{inWords(user.hindrance)}</span>;
  if (sessions === 0) return <span class="pill">Offline</span>;
  return <span class="pill ok">{sessions === 1 ? 'Online' : `Online, ${count(sessions)} times`}</span>;
}

function expiryOf({ expires, expiresAfter }: User, now: number): string | null {
  if (expires !== null) return moment(Date.parse(expires), now).slice(0, 10);
  return expiresAfter === null ? null : `${duration(expiresAfter)} after the first login`;
}

function speedOf({ speed }: User): string | null {
  if (speed === null) return null;
  return [speed.down === undefined ? '' : `↓ ${bitRate(speed.down)}`, speed.up === undefined ? '' : `↑ ${bitRate(speed.up)}`]
    .filter((part) => part !== '')
    .join('  ');
}

function Deeds({ user, onOpen }: { user: User; onOpen: (open: Open) => void }) {
  const isDisabled = user.hindrance === 'disabled';
  return (
    <>
      <button type="button" class="button small" onClick={() => onOpen({ deed: 'edit', user })} aria-label={`Edit ${user.name}`}>
        Edit
      </button>
      <button
        type="button"
        class="button small"
        onClick={() => onOpen({ deed: 'password', user })}
        aria-label={`Change the password of ${user.name}`}
      >
        Password
      </button>
      <button
        type="button"
        class="button small"
        onClick={() => onOpen({ deed: isDisabled ? 'enable' : 'disable', user })}
        aria-label={`${isDisabled ? 'Enable' : 'Disable'} ${user.name}`}
      >
        {isDisabled ? 'Enable' : 'Disable'}
      </button>
      <button
        type="button"
        class="icon-button"
        onClick={() => onOpen({ deed: 'remove', user })}
        aria-label={`Remove ${user.name}`}
        title="Remove…"
      >
        <Icon name="close" />
      </button>
    </>
  );
}

interface DeedOptions {
  readonly user: User;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

const pathOf = ({ name }: User): string => `/users/${encodeURIComponent(name)}`;

function PasswordDialog({ user, onClose, onDone }: DeedOptions) {
  const { api, say } = useApplication();
  return (
    <FormDialog
      title={`New password of ${user.name}`}
      action="Change the password"
      onClose={onClose}
      onSubmit={async (form) => {
        await api.change('PUT', `${pathOf(user)}/password`, { password: String(form.get('password')) });
        say(`${user.name} has a new password.`);
        onDone();
      }}
    >
      <p>Live sessions go on. The next login needs the new password.</p>
      <label>
        New password
        <input name="password" type="password" autocomplete="new-password" required maxLength={256} />
      </label>
    </FormDialog>
  );
}

function DisableDialog({ user, disables, onClose, onDone }: DeedOptions & { disables: boolean }) {
  const { api, say } = useApplication();
  return (
    <FormDialog
      title={disables ? `Disable ${user.name}?` : `Enable ${user.name}?`}
      action={disables ? 'Disable' : 'Enable'}
      isDangerous={disables}
      onClose={onClose}
      onSubmit={async () => {
        await api.change('POST', `${pathOf(user)}/${disables ? 'disable' : 'enable'}`);
        say(`${user.name} is ${disables ? 'disabled' : 'enabled'}.`);
        onDone();
      }}
    >
      <p>
        {disables
          ? 'The user cannot log in any more, and its live sessions end. Everything else about it stays.'
          : 'The user can log in again with its old password.'}
      </p>
    </FormDialog>
  );
}

function RemoveDialog({ user, onClose, onDone }: DeedOptions) {
  const { api, say } = useApplication();
  return (
    <FormDialog
      title={`Remove ${user.name}?`}
      action="Remove"
      isDangerous
      onClose={onClose}
      onSubmit={async () => {
        await api.change('DELETE', pathOf(user));
        say(`${user.name} was removed.`);
        onDone();
      }}
    >
      <p>
        The user is taken out of <code>{user.file}</code> with its password, limits and note, and its live sessions end. This
        cannot be undone; its past sessions stay in the history.
      </p>
    </FormDialog>
  );
}
