/** The console's page. */
import { render } from 'preact';
import { Root } from './root.js';
import { applyTheme, chosenTheme } from './theme.js';

applyTheme(chosenTheme());
const place = document.getElementById('page');
if (place !== null) render(<Root />, place);
