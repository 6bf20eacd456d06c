use std::sync::mpsc::{Receiver, channel};

use super::*;

/// Long enough for any machine; a flush that works returns at once.
const PATIENCE: Duration = Duration::from_mins(1);

/// An output that keeps what it accepts and does what the test tells it for each write.
struct Output {
    kept: Arc<Mutex<Vec<u8>>>,
    answers: VecDeque<Answer>,
}

enum Answer {
    Fail(io::ErrorKind),
    Accept(usize),
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let accepted = match self.answers.pop_front() {
            Some(Answer::Fail(kind)) => return Err(kind.into()),
            Some(Answer::Accept(most)) => bytes.len().min(most),
            None => bytes.len(),
        };
        self.kept.lock().unwrap().extend_from_slice(&bytes[..accepted]);
        Ok(accepted)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Pushes the lines one at a time and returns what the output holds at the end, and the number of lost lines.
fn written(answers: impl IntoIterator<Item = Answer>, lines: &[&str]) -> (String, u64) {
    let kept = Arc::default();
    let output = Output { kept: Arc::clone(&kept), answers: answers.into_iter().collect() };
    let notice: LossNotice = Box::new(|lost| format!("({lost} lost)\n"));
    let queue = LineQueue::start("test", Box::new(output), notice).unwrap();
    for line in lines {
        queue.push(format!("{line}\n").into_bytes());
        queue.flush(PATIENCE);
    }
    let text = String::from_utf8(kept.lock().unwrap().clone()).unwrap();
    (text, queue.lost())
}

#[test]
fn lines_come_out_in_order() {
    assert_eq!(written([], &["a", "b", "c"]), ("a\nb\nc\n".to_owned(), 0));
}

#[test]
fn a_failure_loses_one_line_and_the_next_success_says_so() {
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::BrokenPipe, io::ErrorKind::FileTooLarge]
    {
        let (text, lost) = written([Answer::Fail(kind)], &["a", "b", "c"]);
        assert_eq!(text, "(1 lost)\nb\nc\n");
        assert_eq!(lost, 1);
    }
}

#[test]
fn an_output_that_never_works_loses_every_line_and_nothing_else() {
    let failures = (0..1000).map(|_| Answer::Fail(io::ErrorKind::StorageFull));
    assert_eq!(written(failures, &["a", "b", "c"]), (String::new(), 3));
}

#[test]
fn a_line_that_was_cut_off_does_not_spoil_the_next_one() {
    let answers = [Answer::Accept(2), Answer::Fail(io::ErrorKind::StorageFull)];
    let (text, lost) = written(answers, &["abcd", "efgh"]);
    assert_eq!(text, "ab\n(1 lost)\nefgh\n");
    assert_eq!(lost, 1);
}

#[test]
fn short_and_interrupted_writes_lose_nothing() {
    let answers = [Answer::Accept(1), Answer::Fail(io::ErrorKind::Interrupted), Answer::Accept(1)];
    assert_eq!(written(answers, &["abcd"]), ("abcd\n".to_owned(), 0));
}

/// An output that stands still, like the pipe of a pager, until its gate is dropped.
struct Stopped {
    gate: Receiver<()>,
    kept: Arc<Mutex<Vec<u8>>>,
}

impl Write for Stopped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        assert!(self.gate.recv().is_err(), "nothing is sent");
        self.kept.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_output_that_stands_still_blocks_nobody() {
    let (gate, wait) = channel();
    let kept = Arc::default();
    let output = Stopped { gate: wait, kept: Arc::clone(&kept) };
    let notice: LossNotice = Box::new(|lost| format!("({lost} lost)\n"));
    let queue = LineQueue::start("test", Box::new(output), notice).unwrap();
    for number in 0..CAPACITY + 10 {
        queue.push(format!("{number}\n").into_bytes());
    }
    // The thread holds one line, unless it has not begun yet.
    assert!((9..=10).contains(&queue.lost()), "{}", queue.lost());
    queue.flush(Duration::ZERO);
    drop(gate);
    queue.flush(PATIENCE);
    let text = String::from_utf8(kept.lock().unwrap().clone()).unwrap();
    assert!(text.contains(&format!("({} lost)\n", queue.lost())), "the loss is not told");
    assert_eq!(text.lines().count(), CAPACITY + 10 - usize::try_from(queue.lost()).unwrap() + 1);
}
