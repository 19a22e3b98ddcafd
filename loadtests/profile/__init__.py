"""Where the time of a gift goes, process by process: ``make profile``."""
