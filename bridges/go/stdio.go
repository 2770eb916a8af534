package snakepit

func (w *Worker) serveStdio() int { return statusUsage }
