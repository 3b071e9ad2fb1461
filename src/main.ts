// Starts the program too, for those who name this file. It takes more memory than `main.js`, which says why.
import './main.js';
