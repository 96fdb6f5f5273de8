"""The few words of the page that turns an event's pushes off, in the languages of the banner."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UnsubscribeWords:
    """What it says; `{name}` is what the event type is called, `{app}` the App. `bell` is where it still comes."""

    ask: str
    ask_more: str
    bell: str
    off: str
    off_more: str
    on: str
    on_more: str
    always: str
    always_more: str
    turn_off: str
    turn_on: str
    unknown: str
    unknown_mend: str


WORDS = {
    "en": UnsubscribeWords(
        "Turn off “{name}”?",
        "{app} will not push “{name}” to any of your devices.",
        "It still comes to the bell on the site.",
        "“{name}” is off",
        "{app} does not push it to you any more.",
        "“{name}” is on",
        "{app} pushes it to your devices again.",
        "“{name}” cannot be turned off",
        "{app} sends it to everybody it concerns.",
        "Turn off",
        "Turn on again",
        "This link leads to nothing any more",
        "Turn notifications off on the site itself, in its notification settings.",
    ),
    "de": UnsubscribeWords(
        "„{name}“ abschalten?",
        "{app} schickt „{name}“ dann an keines deiner Geräte mehr.",
        "In der Glocke auf der Website steht es weiterhin.",
        "„{name}“ ist aus",
        "{app} schickt es dir nicht mehr auf deine Geräte.",
        "„{name}“ ist an",
        "{app} schickt es wieder auf deine Geräte.",
        "„{name}“ lässt sich nicht abschalten",
        "{app} schickt es allen, die es betrifft.",
        "Abschalten",
        "Wieder einschalten",
        "Dieser Link führt ins Leere",
        "Schalte Benachrichtigungen auf der Website selbst ab, in ihren Benachrichtigungseinstellungen.",
    ),
    "fr": UnsubscribeWords(
        "Désactiver « {name} » ?",
        "{app} n'enverra plus « {name} » sur vos appareils.",
        "Vous le retrouverez dans la cloche du site.",
        "« {name} » est désactivé",
        "{app} ne vous l'envoie plus.",
        "« {name} » est activé",
        "{app} l'envoie de nouveau sur vos appareils.",
        "« {name} » ne peut pas être désactivé",
        "{app} l'envoie à toutes les personnes concernées.",
        "Désactiver",
        "Réactiver",
        "Ce lien ne mène nulle part",
        "Désactivez les notifications sur le site lui-même, dans ses paramètres de notification.",
    ),
    "es": UnsubscribeWords(
        "¿Desactivar «{name}»?",
        "{app} no enviará más «{name}» a tus dispositivos.",
        "Seguirá llegando a la campana del sitio.",
        "«{name}» está desactivado",
        "{app} ya no te lo envía.",
        "«{name}» está activado",
        "{app} lo envía de nuevo a tus dispositivos.",
        "«{name}» no se puede desactivar",
        "{app} lo envía a todas las personas a las que concierne.",
        "Desactivar",
        "Activar de nuevo",
        "Este enlace ya no lleva a ninguna parte",
        "Desactiva las notificaciones en el propio sitio, en sus ajustes de notificaciones.",
    ),
    "it": UnsubscribeWords(
        "Disattivare «{name}»?",
        "{app} non invierà più «{name}» ai tuoi dispositivi.",
        "Continuerà ad arrivare nella campanella del sito.",
        "«{name}» è disattivato",
        "{app} non te lo invia più.",
        "«{name}» è attivo",
        "{app} lo invia di nuovo ai tuoi dispositivi.",
        "«{name}» non si può disattivare",
        "{app} lo invia a tutte le persone interessate.",
        "Disattiva",
        "Riattiva",
        "Questo link non porta più da nessuna parte",
        "Disattiva le notifiche sul sito stesso, nelle sue impostazioni di notifica.",
    ),
    "nl": UnsubscribeWords(
        "“{name}” uitzetten?",
        "{app} stuurt “{name}” dan niet meer naar je apparaten.",
        "Het komt nog wel in de bel op de site.",
        "“{name}” staat uit",
        "{app} stuurt het je niet meer.",
        "“{name}” staat aan",
        "{app} stuurt het weer naar je apparaten.",
        "“{name}” kan niet worden uitgezet",
        "{app} stuurt het naar iedereen die het aangaat.",
        "Uitzetten",
        "Weer aanzetten",
        "Deze link leidt nergens meer heen",
        "Zet meldingen uit op de site zelf, bij de meldingsinstellingen.",
    ),
    "pl": UnsubscribeWords(
        "Wyłączyć „{name}”?",
        "{app} nie będzie wysyłać „{name}” na Twoje urządzenia.",
        "Nadal znajdziesz to pod dzwonkiem w serwisie.",
        "Wyłączono „{name}”",
        "{app} już tego nie wysyła.",
        "Włączono „{name}”",
        "{app} znów wysyła to na Twoje urządzenia.",
        "Nie można wyłączyć „{name}”",
        "{app} wysyła to wszystkim, których to dotyczy.",
        "Wyłącz",
        "Włącz ponownie",
        "Ten link prowadzi donikąd",
        "Wyłącz powiadomienia w samym serwisie, w jego ustawieniach powiadomień.",
    ),
    "pt": UnsubscribeWords(
        "Desativar “{name}”?",
        "{app} deixa de enviar “{name}” para os seus dispositivos.",
        "Continua a aparecer no sino do site.",
        "“{name}” está desativado",
        "{app} já não o envia.",
        "“{name}” está ativado",
        "{app} volta a enviá-lo para os seus dispositivos.",
        "“{name}” não pode ser desativado",
        "{app} envia-o a todas as pessoas a quem diz respeito.",
        "Desativar",
        "Ativar de novo",
        "Este link já não leva a lado nenhum",
        "Desative as notificações no próprio site, nas definições de notificações.",
    ),
}
