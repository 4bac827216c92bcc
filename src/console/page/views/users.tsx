/** Who may log in: add, change, disable, remove. */
import { useState } from 'preact/hooks';
import { useApplication, useLive, useLoaded, useNow } from '../app.js';
import type { ApiUser, UserChanged, Users as Answer } from '../../api/schemas.js';
import { duration, octets } from '../../../admin/units.js';
import { bitRate, count, counted, inWords, moment } from '../model/format.js';
import { Meter, orNone } from '../parts/cells.js';
import { FormDialog } from '../parts/dialog.js';
import { Icon } from '../parts/icons.js';
import { Empty, Shown } from '../parts/notice.js';
import { PasswordField, passwordIn } from '../parts/password-field.js';
import { SearchField } from '../parts/search-field.js';
import { UserForm } from '../parts/user-form.js';

type Open =
  | { readonly deed: 'add' }
  | { readonly deed: 'edit' | 'password' | 'disable' | 'enable' | 'remove'; readonly user: ApiUser };

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
          <SearchField
            label="Search name, address or note"
            placeholder="Name, address or note"
            value={search}
            onChange={setSearch}
          />
          {me.role === 'admin' ? (
            <button type="button" class="button primary" onClick={() => setOpen({ deed: 'add' })}>
              <Icon name="plus" /> Add a user
            </button>
          ) : null}
        </div>
      </header>
      <Shown of={loaded} again={again}>
        {({ users, file, keeps, storesHash }) => (
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
            {open?.deed === 'add' ? (
              <UserForm keeps={keeps} storesHash={storesHash} onClose={close} onDone={done} />
            ) : null}
            {open?.deed === 'edit' ? (
              <UserForm
                user={open.user}
                keeps={keeps}
                storesHash={storesHash}
                onClose={close}
                onDone={done}
                onOther={(deed) => setOpen({ deed, user: open.user })}
              />
            ) : null}
            {open?.deed === 'password' ? (
              <PasswordDialog user={open.user} storesHash={storesHash} onClose={close} onDone={done} />
            ) : null}
          </>
        )}
      </Shown>
      {open?.deed === 'disable' || open?.deed === 'enable' ? (
        <DisableDialog user={open.user} disables={open.deed === 'disable'} onClose={close} onDone={done} />
      ) : null}
      {open?.deed === 'remove' ? <RemoveDialog user={open.user} onClose={close} onDone={done} /> : null}
    </>
  );
}

function List({
  users,
  isEmpty,
  onOpen,
}: {
  users: readonly ApiUser[];
  isEmpty: boolean;
  onOpen: (open: Open) => void;
}) {
  const { me } = useApplication();
  const now = useNow(60);
  if (isEmpty) {
    return (
      <div class="card">
        <Empty icon="users" title="There are no users yet">
          {me.role === 'admin'
            ? 'Add the first one, who can then log in at once.'
            : 'An administrator can add the first one.'}
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
  return (
    <table class="users" role="table" aria-label="Users">
      <thead role="rowgroup">
        <tr role="row">
          {['User', 'State', 'Address', 'Expires', 'Speed', 'Quota'].map((name) => (
            <th key={name} role="columnheader" scope="col" class={name.toLowerCase()}>
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
              <span class="cut">
                <bdi>{user.name}</bdi>
              </span>
              {user.note === null ? null : <small class="muted cut">{user.note}</small>}
            </th>
            <td role="cell" class="state">
              <UserState user={user} />
            </td>
            <td role="cell" class="address">
              {orNone(user.address, 'any address')}
            </td>
            <td role="cell" class="expires">
              {orNone(expiryOf(user, now), 'never')}
            </td>
            <td role="cell" class="speed">
              <Speed of={user.speed} />
            </td>
            <td role="cell" class="quota">
              {user.quota === null ? (
                orNone(null, 'no quota')
              ) : (
                <>
                  <span>
                    {octets(user.quota.used)} of {octets(user.quota.octets)}
                    <span class="muted"> {user.quota.per === 'total' ? 'in total' : `a ${user.quota.per}`}</span>
                  </span>
                  <Meter share={user.quota.used / user.quota.octets} />
                </>
              )}
            </td>
            <td role="cell" class="deed">
              {me.role === 'admin' ? (
                <button
                  type="button"
                  class="button small"
                  onClick={() => onOpen({ deed: 'edit', user })}
                  aria-label={`Edit ${user.name}`}
                >
                  Edit
                </button>
              ) : null}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function UserState({ user }: { user: ApiUser }) {
  const sessions = user.live.length;
  if (user.hindrance !== null) return <span class="pill bad">{inWords(user.hindrance)}</span>;
  if (sessions === 0) return <span class="pill">Offline</span>;
  return (
    <a class="pill ok" href={`/sessions?search=${encodeURIComponent(user.name)}`}>
      {sessions === 1 ? 'Online' : `Online, ${count(sessions)} times`}
    </a>
  );
}

function expiryOf({ expires, expiresAfter }: ApiUser, now: number): string | null {
  if (expires !== null) return moment(Date.parse(expires), now).slice(0, 10);
  return expiresAfter === null ? null : `${duration(expiresAfter)} after first login`;
}

function Speed({ of }: { of: ApiUser['speed'] }) {
  if (of === null) return orNone(null, 'no limit');
  return (
    <>
      {of.down === undefined ? null : <span class="key-down">↓ {bitRate(of.down)}</span>}{' '}
      {of.up === undefined ? null : <span class="key-up">↑ {bitRate(of.up)}</span>}
    </>
  );
}

interface DeedOptions {
  readonly user: ApiUser;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

const pathOf = ({ name }: ApiUser): string => `/users/${encodeURIComponent(name)}`;

function PasswordDialog({ user, storesHash, onClose, onDone }: DeedOptions & { storesHash: boolean }) {
  const { api, say } = useApplication();
  return (
    <FormDialog
      title={
        <>
          New password of <bdi>{user.name}</bdi>
        </>
      }
      action="Change the password"
      onClose={onClose}
      onSubmit={async (form) => {
        const { remarks } = await api.change<UserChanged>('PUT', `${pathOf(user)}/password`, passwordIn(form));
        say([`${user.name} has a new password.`, ...remarks].join(' '));
        onDone();
      }}
    >
      <p>Live sessions continue. The next login needs the new password.</p>
      <PasswordField label="New password" storesHash={storesHash} isStored={user.hasPassword} />
    </FormDialog>
  );
}

function DisableDialog({ user, disables, onClose, onDone }: DeedOptions & { disables: boolean }) {
  const { api, say } = useApplication();
  return (
    <FormDialog
      title={
        <>
          {disables ? 'Disable' : 'Enable'} <bdi>{user.name}</bdi>?
        </>
      }
      action={disables ? 'Disable' : 'Enable'}
      isDangerous={disables}
      onClose={onClose}
      onSubmit={async () => {
        const { remarks } = await api.change<UserChanged>('POST', `${pathOf(user)}/${disables ? 'disable' : 'enable'}`);
        say([`${user.name} is ${disables ? 'disabled' : 'enabled'}.`, ...remarks].join(' '));
        onDone();
      }}
    >
      <p>
        {disables
          ? 'The user cannot log in any more, and live sessions of this user end. Password and limits are kept.'
          : 'The user can log in again, with the same password.'}
      </p>
    </FormDialog>
  );
}

function RemoveDialog({ user, onClose, onDone }: DeedOptions) {
  const { api, say } = useApplication();
  return (
    <FormDialog
      title={
        <>
          Remove <bdi>{user.name}</bdi>?
        </>
      }
      action="Remove"
      isDangerous
      onClose={onClose}
      onSubmit={async () => {
        const { remarks } = await api.change<UserChanged>('DELETE', pathOf(user));
        say([`${user.name} was removed.`, ...remarks].join(' '));
        onDone();
      }}
    >
      <p>
        This removes the user, with password, limits and note, from <code>{user.file}</code>, and ends the user’s live
        sessions. This cannot be undone. Past sessions stay in the history.
      </p>
    </FormDialog>
  );
}
