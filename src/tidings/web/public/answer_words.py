"""The few words of the page that asks, in the languages of the banner."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """What the page says of its own; `{answer}` is the title of what was chosen."""

    language: str
    thanks: str
    change: str
    closed: str
    closed_mend: str
    unknown: str
    unknown_mend: str


WORDS = {
    one.language: one
    for one in (
        AnswerWords(
            "en",
            "Thank you! Your answer: {answer}",
            "You can change it here.",
            "This question is closed.",
            "Thank you for wanting to answer. Answers to it are no longer counted.",
            "This link leads to nothing.",
            "Open it again from the notification; a link that was cut does not work.",
        ),
        AnswerWords(
            "de",
            "Danke! Deine Antwort: {answer}",
            "Hier kannst du sie ändern.",
            "Diese Umfrage ist beendet.",
            "Danke, dass du antworten wolltest. Weitere Antworten werden nicht mehr gezählt.",
            "Dieser Link führt ins Leere.",
            "Öffne ihn noch einmal aus der Benachrichtigung; ein abgeschnittener Link geht nicht.",
        ),
        AnswerWords(
            "fr",
            "Merci ! Votre réponse : {answer}",
            "Vous pouvez la modifier ici.",
            "Cette question est close.",
            "Merci d'avoir voulu répondre. Les réponses ne sont plus comptées.",
            "Ce lien ne mène nulle part.",
            "Ouvrez-le de nouveau depuis la notification ; un lien coupé ne fonctionne pas.",
        ),
        AnswerWords(
            "es",
            "¡Gracias! Tu respuesta: {answer}",
            "Puedes cambiarla aquí.",
            "Esta pregunta está cerrada.",
            "Gracias por querer responder. Ya no se cuentan más respuestas.",
            "Este enlace no lleva a ninguna parte.",
            "Ábrelo de nuevo desde la notificación; un enlace cortado no funciona.",
        ),
        AnswerWords(
            "it",
            "Grazie! La tua risposta: {answer}",
            "Puoi cambiarla qui.",
            "Questa domanda è chiusa.",
            "Grazie per aver voluto rispondere. Le risposte non vengono più contate.",
            "Questo link non porta da nessuna parte.",
            "Aprilo di nuovo dalla notifica; un link tagliato non funziona.",
        ),
        AnswerWords(
            "nl",
            "Bedankt! Je antwoord: {answer}",
            "Je kunt het hier wijzigen.",
            "Deze vraag is gesloten.",
            "Bedankt dat je wilde antwoorden. Antwoorden worden niet meer geteld.",
            "Deze link leidt nergens heen.",
            "Open hem opnieuw vanuit de melding; een afgekapte link werkt niet.",
        ),
        AnswerWords(
            "pl",
            "Dziękujemy! Twoja odpowiedź: {answer}",
            "Możesz ją tutaj zmienić.",
            "To pytanie jest zamknięte.",
            "Dziękujemy za chęć odpowiedzi. Kolejne odpowiedzi nie są już liczone.",
            "Ten link prowadzi donikąd.",
            "Otwórz go ponownie z powiadomienia; ucięty link nie działa.",
        ),
        AnswerWords(
            "pt",
            "Obrigado! A sua resposta: {answer}",
            "Pode alterá-la aqui.",
            "Esta pergunta está encerrada.",
            "Obrigado por querer responder. As respostas já não são contadas.",
            "Este link não leva a lado nenhum.",
            "Abra-o de novo a partir da notificação; um link cortado não funciona.",
        ),
    )
}

_TAG = re.compile(r"[A-Za-z]{2,3}(?![A-Za-z])")


def language_of(*wishes: str | None) -> str:
    """Give the first language that we have of some wishes, each a tag or an Accept-Language field; else English."""
    for wish in wishes:
        for part in (wish or "")[:200].split(","):
            found = _TAG.match(part.strip())
            if found and found[0].lower() in WORDS:
                return found[0].lower()
    return "en"
